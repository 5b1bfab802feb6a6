/**
 * A lease that ends later than its length from now, by more than this, was renewed while the storage's clock was ahead. Storages cut it to its length: its worker, if it lives, renews it in
 * time all the same, and if it does not, nobody waits for it as long as the clock was wrong.
 */
export const leaseToleranceMs = 1_000;
