-- Stores a quality sample of a call that lock_call has locked, the warning to the other participant where
-- there is one, and commits.
CREATE PROCEDURE record_quality_1(
  IN p_call     CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_user     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_quality  VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_loss     DOUBLE,
  IN p_rtt      DOUBLE,
  IN p_reported DATETIME(3),
  IN p_recorded DATETIME(3),
  -- The recipient of the warning, the event's number, its type and its data; NULL without a warning.
  IN p_peer     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_last     BIGINT UNSIGNED,
  IN p_event    VARCHAR(32) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_data     TEXT        CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
SQL SECURITY INVOKER
BEGIN
  INSERT INTO call_quality_metrics (call_id, user_id, network_quality, packet_loss_rate, round_trip_time,
    reported_at, recorded_at)
  VALUES (p_call, p_user, p_quality, p_loss, p_rtt, p_reported, p_recorded);
  IF p_event IS NOT NULL THEN
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at)
    VALUES (p_peer, p_last, p_call, p_event, p_data, UTC_TIMESTAMP(3));
    UPDATE user_lines SET last_event_id = p_last WHERE user_id = p_peer;
  END IF;
  COMMIT;
END
