/** Whether the one place (`ClaimedStep.place`) is in the other: of an item of that map, or of a step of that as a workflow. */
export function isWithin(place: string, outer: string): boolean {
  return place.startsWith(`${outer}/`) || place.startsWith(`${outer}.`);
}
