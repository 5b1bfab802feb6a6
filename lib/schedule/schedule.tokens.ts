/** The token of the options, defaults filled in: a constant, as in the original. */
export const scheduleOptions = 'SCHEDULE_MODULE_OPTIONS';
