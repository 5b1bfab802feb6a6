update "chronis".job set namespace = $3, id = $4, name = $5, handler = $6, queue = $7, priority = $8,
  trigger = $9::json, trigger_type = $9::json ->> 'type', time_zone = $10, payload = $11::json, metadata = $12::jsonb,
  policies = $13::json, definition_hash = $14, generation = $15, revision = revision + 1, updated_at = coalesce($1::timestamptz, now())
where uid = $2
