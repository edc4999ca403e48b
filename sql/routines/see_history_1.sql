-- Notes that a user has looked at the missed calls: none is unseen any more, and the user's other sockets get an
-- event (contract, section 11.1). Where none is unseen nothing is locked and nothing written.
-- One row: whether anything was written.
CREATE PROCEDURE see_history_1(
  IN p_user       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_event      VARCHAR(32)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_data       TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  -- The device and the connection that are spared the event, or NULL.
  IN p_device     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_connection VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_unseen INT UNSIGNED DEFAULT 0;
  DECLARE v_last BIGINT UNSIGNED;

  SELECT unseen_missed INTO v_unseen FROM call_history_totals WHERE user_id = p_user;
  IF v_unseen > 0 THEN
    START TRANSACTION;
    SELECT last_event_id + 1 INTO v_last FROM user_lines WHERE user_id = p_user FOR UPDATE;
    IF v_last IS NULL THEN
      CALL make_lines_1(p_user, p_user);
      SELECT last_event_id + 1 INTO v_last FROM user_lines WHERE user_id = p_user FOR UPDATE;
    END IF;
    UPDATE call_history_totals SET looks = looks + 1, unseen_missed = 0
      WHERE user_id = p_user AND unseen_missed > 0;
    SET v_unseen = ROW_COUNT();
    IF v_unseen > 0 THEN
      INSERT INTO call_events (user_id, event_id, call_id, event_type, data, origin_device,
        origin_connection, created_at)
      VALUES (p_user, v_last, NULL, p_event, p_data, p_device, p_connection, UTC_TIMESTAMP(3));
      UPDATE user_lines SET last_event_id = v_last WHERE user_id = p_user;
    END IF;
    COMMIT;
  END IF;
  SELECT v_unseen > 0;
END
