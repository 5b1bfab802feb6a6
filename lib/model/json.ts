/** A value that survives JSON unchanged: what payloads, metadata and results are made of. @publicApi */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object. @publicApi */
export type JsonObject = { [key: string]: JsonValue };
