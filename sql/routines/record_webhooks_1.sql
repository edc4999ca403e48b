-- Records the webhooks and the kick that a change of a call asks for, within its transaction (contract,
-- sections 8.1 and 9.4).
CREATE PROCEDURE record_webhooks_1(
  IN p_call CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  -- A bit for each type, in the order of the column's values, the first one 1.
  IN p_webhooks TINYINT UNSIGNED
)
SQL SECURITY INVOKER
BEGIN
  INSERT INTO webhook_events (call_id, sequence, event_type, queue, created_at, due_at)
  SELECT p_call, known.sequence, known.event_type, known.queue, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)
  FROM (
    SELECT 1 AS sequence, 1 AS bit, 'call.invitation' AS event_type, 'fresh' AS queue
    UNION ALL SELECT 2, 2, 'call.stopped_ringing', 'fresh'
    UNION ALL SELECT 3, 4, 'call.missed', 'fresh'
    UNION ALL SELECT 4, 8, 'call.ended', 'fresh'
    UNION ALL SELECT 5, 16, 'agora.kick', 'kick'
  ) known
  WHERE p_webhooks & known.bit;
END
