/**
 * The code of beat.thread in one piece, driver included: a file of its own would be lost in an application that is bundled. The build puts it
 * in (build/finish.mjs); null in what is not built.
 */
export const beatSource: string | null = null;
