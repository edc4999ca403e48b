-- Writes both histories and the counts of a call that is over, within the transaction that ends it, under the
-- lock of both lines. A call counts in the hour and in the day in which it was made (R15).
CREATE PROCEDURE close_call_1(
  IN p_call      CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_type      VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_reason    VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_created   DATETIME(3),
  IN p_duration  INT UNSIGNED,
  -- How the call reads in the history of each: completed, missed, rejected or failed.
  IN p_caller_history VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_callee_history VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_day DATETIME DEFAULT DATE(p_created);
  DECLARE v_hour DATETIME DEFAULT v_day + INTERVAL HOUR(p_created) HOUR;
  DECLARE v_audio BOOLEAN DEFAULT p_type = 'audio';
  DECLARE v_video BOOLEAN DEFAULT p_type = 'video';
  DECLARE v_caller_completed BOOLEAN DEFAULT p_caller_history = 'completed';
  DECLARE v_caller_missed    BOOLEAN DEFAULT p_caller_history = 'missed';
  DECLARE v_caller_rejected  BOOLEAN DEFAULT p_caller_history = 'rejected';
  DECLARE v_caller_failed    BOOLEAN DEFAULT p_caller_history = 'failed';
  DECLARE v_callee_completed BOOLEAN DEFAULT p_callee_history = 'completed';
  DECLARE v_callee_missed    BOOLEAN DEFAULT p_callee_history = 'missed';
  DECLARE v_callee_rejected  BOOLEAN DEFAULT p_callee_history = 'rejected';
  DECLARE v_callee_failed    BOOLEAN DEFAULT p_callee_history = 'failed';
  DECLARE v_looks INT UNSIGNED DEFAULT 1;

  -- Changes under the lock of the callee's line only.
  SELECT looks INTO v_looks FROM call_history_totals WHERE user_id = p_callee;

  INSERT INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction, end_reason,
    `timestamp`, duration_seconds, looks)
  VALUES
    (p_caller, p_call, p_callee, p_type, p_caller_history, 'outgoing', p_reason, p_created, p_duration, 0),
    (p_callee, p_call, p_caller, p_type, p_callee_history, 'incoming', p_reason, p_created, p_duration, v_looks);

  INSERT INTO call_history_totals (user_id, audio_completed, audio_missed, audio_rejected, audio_failed,
    video_completed, video_missed, video_rejected, video_failed, unseen_missed)
  VALUES
    (p_caller, v_audio AND v_caller_completed, v_audio AND v_caller_missed, v_audio AND v_caller_rejected,
      v_audio AND v_caller_failed, v_video AND v_caller_completed, v_video AND v_caller_missed,
      v_video AND v_caller_rejected, v_video AND v_caller_failed, 0),
    (p_callee, v_audio AND v_callee_completed, v_audio AND v_callee_missed, v_audio AND v_callee_rejected,
      v_audio AND v_callee_failed, v_video AND v_callee_completed, v_video AND v_callee_missed,
      v_video AND v_callee_rejected, v_video AND v_callee_failed, v_callee_missed)
  ON DUPLICATE KEY UPDATE
    audio_completed = audio_completed + VALUES(audio_completed),
    audio_missed    = audio_missed    + VALUES(audio_missed),
    audio_rejected  = audio_rejected  + VALUES(audio_rejected),
    audio_failed    = audio_failed    + VALUES(audio_failed),
    video_completed = video_completed + VALUES(video_completed),
    video_missed    = video_missed    + VALUES(video_missed),
    video_rejected  = video_rejected  + VALUES(video_rejected),
    video_failed    = video_failed    + VALUES(video_failed),
    unseen_missed   = unseen_missed   + VALUES(unseen_missed);

  INSERT INTO call_statistics (user_id, span, starts_at, day_starts_at, audio_completed, audio_missed,
    audio_rejected, audio_failed, video_completed, video_missed, video_rejected, video_failed,
    total_seconds, completed_seconds)
  VALUES
    (p_caller, 'hour', v_hour, v_day, v_audio AND v_caller_completed, v_audio AND v_caller_missed,
      v_audio AND v_caller_rejected, v_audio AND v_caller_failed, v_video AND v_caller_completed,
      v_video AND v_caller_missed, v_video AND v_caller_rejected, v_video AND v_caller_failed,
      p_duration, IF(v_caller_completed, p_duration, 0)),
    (p_caller, 'day', v_day, v_day, v_audio AND v_caller_completed, v_audio AND v_caller_missed,
      v_audio AND v_caller_rejected, v_audio AND v_caller_failed, v_video AND v_caller_completed,
      v_video AND v_caller_missed, v_video AND v_caller_rejected, v_video AND v_caller_failed,
      p_duration, IF(v_caller_completed, p_duration, 0)),
    (p_callee, 'hour', v_hour, v_day, v_audio AND v_callee_completed, v_audio AND v_callee_missed,
      v_audio AND v_callee_rejected, v_audio AND v_callee_failed, v_video AND v_callee_completed,
      v_video AND v_callee_missed, v_video AND v_callee_rejected, v_video AND v_callee_failed,
      p_duration, IF(v_callee_completed, p_duration, 0)),
    (p_callee, 'day', v_day, v_day, v_audio AND v_callee_completed, v_audio AND v_callee_missed,
      v_audio AND v_callee_rejected, v_audio AND v_callee_failed, v_video AND v_callee_completed,
      v_video AND v_callee_missed, v_video AND v_callee_rejected, v_video AND v_callee_failed,
      p_duration, IF(v_callee_completed, p_duration, 0))
  ON DUPLICATE KEY UPDATE
    audio_completed = audio_completed + VALUES(audio_completed),
    audio_missed    = audio_missed    + VALUES(audio_missed),
    audio_rejected  = audio_rejected  + VALUES(audio_rejected),
    audio_failed    = audio_failed    + VALUES(audio_failed),
    video_completed = video_completed + VALUES(video_completed),
    video_missed    = video_missed    + VALUES(video_missed),
    video_rejected  = video_rejected  + VALUES(video_rejected),
    video_failed    = video_failed    + VALUES(video_failed),
    total_seconds     = total_seconds     + VALUES(total_seconds),
    completed_seconds = completed_seconds + VALUES(completed_seconds);
END
