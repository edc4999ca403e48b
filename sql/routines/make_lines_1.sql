-- Makes the lines of two users where they have none, and locks both, in the order of their ids. A line that
-- was lost goes on where the user's events end. ON DUPLICATE KEY UPDATE takes the exclusive lock at once;
-- INSERT IGNORE would take a shared one first, and two transactions that both hold it deadlock.
CREATE PROCEDURE make_lines_1(
  IN p_one   VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_other VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_first  VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT LEAST(p_one, p_other);
  DECLARE v_second VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT GREATEST(p_one, p_other);

  INSERT INTO user_lines (user_id, last_event_id)
    SELECT v_first, COALESCE(MAX(event_id), 0) FROM call_events WHERE user_id = v_first
    ON DUPLICATE KEY UPDATE user_id = VALUES(user_id);
  INSERT INTO user_lines (user_id, last_event_id)
    SELECT v_second, COALESCE(MAX(event_id), 0) FROM call_events WHERE user_id = v_second
    ON DUPLICATE KEY UPDATE user_id = VALUES(user_id);
END
