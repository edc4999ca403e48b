-- Takes an entry out of a user's own history, out of its total and, where it is unseen, out of the badge (contract,
-- section 11.1); the statistics keep what happened.
-- One row: whether the user had such an entry.
CREATE PROCEDURE delete_history_1(
  IN p_user VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_call CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_entry VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_missed BOOLEAN;
  DECLARE v_looks INT UNSIGNED;

  START TRANSACTION;
  SELECT CONCAT(call_type, '_', status), direction = 'incoming' AND status = 'missed', looks
  INTO v_entry, v_missed, v_looks
  FROM call_history WHERE user_id = p_user AND call_id = p_call FOR UPDATE;
  IF v_entry IS NOT NULL THEN
    DELETE FROM call_history WHERE user_id = p_user AND call_id = p_call;
    UPDATE call_history_totals SET
      audio_completed = audio_completed - (v_entry = 'audio_completed' AND audio_completed > 0),
      audio_missed    = audio_missed    - (v_entry = 'audio_missed'    AND audio_missed > 0),
      audio_rejected  = audio_rejected  - (v_entry = 'audio_rejected'  AND audio_rejected > 0),
      audio_failed    = audio_failed    - (v_entry = 'audio_failed'    AND audio_failed > 0),
      video_completed = video_completed - (v_entry = 'video_completed' AND video_completed > 0),
      video_missed    = video_missed    - (v_entry = 'video_missed'    AND video_missed > 0),
      video_rejected  = video_rejected  - (v_entry = 'video_rejected'  AND video_rejected > 0),
      video_failed    = video_failed    - (v_entry = 'video_failed'    AND video_failed > 0),
      unseen_missed   = unseen_missed   - (v_missed AND looks = v_looks AND unseen_missed > 0)
    WHERE user_id = p_user;
  END IF;
  COMMIT;
  SELECT v_entry IS NOT NULL;
END
