-- What the REST benchmark works on: pairs of contacts `bench-caller-N` and `bench-callee-N` whose lines
-- are idle; the first thousand callers have a hundred calls in their history. Numbers come from
-- MariaDB's sequence engine. May run twice.

INSERT IGNORE INTO users (id, username, full_name, avatar_url)
SELECT CONCAT('bench-', side, '-', seq), CONCAT(side, seq), CONCAT('Bench ', side, ' ', seq),
  CONCAT('https://avatars.example.org/', side, '/', seq, '.png')
FROM seq_1_to_@PAIRS@ JOIN (SELECT 'caller' AS side UNION SELECT 'callee') sides;

INSERT IGNORE INTO contacts (user_id, contact_user_id, status)
SELECT CONCAT('bench-caller-', seq), CONCAT('bench-callee-', seq), 'ACCEPTED' FROM seq_1_to_@PAIRS@
UNION ALL
SELECT CONCAT('bench-callee-', seq), CONCAT('bench-caller-', seq), 'ACCEPTED' FROM seq_1_to_@PAIRS@;

INSERT IGNORE INTO user_lines (user_id)
SELECT CONCAT('bench-', side, '-', seq)
FROM seq_1_to_@PAIRS@ JOIN (SELECT 'caller' AS side UNION SELECT 'callee') sides;

-- Twenty different people on a page.
INSERT IGNORE INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction, end_reason,
  `timestamp`, duration_seconds)
SELECT CONCAT('bench-caller-', p.seq), CONCAT('00000000-0000-7000-9', LPAD(k.seq, 3, '0'), '-', LPAD(p.seq, 12, '0')),
  CONCAT('bench-callee-', (p.seq + k.seq) % 1000 + 1), IF(k.seq % 3 = 0, 'audio', 'video'), 'completed',
  IF(k.seq % 2 = 0, 'incoming', 'outgoing'), 'hangup', UTC_TIMESTAMP(3) - INTERVAL (k.seq * 3000) SECOND, 60 + k.seq
FROM seq_1_to_1000 p JOIN seq_1_to_100 k;

INSERT IGNORE INTO call_history_totals (user_id, audio_completed, video_completed)
SELECT CONCAT('bench-caller-', seq), 33, 67 FROM seq_1_to_1000;

ANALYZE TABLE users, contacts, user_lines, call_history, call_history_totals;
