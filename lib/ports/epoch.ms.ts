/** All instants that cross this port are epoch milliseconds of the storage's own clock, unless they are Dates in what users read. */
export type EpochMs = number;
