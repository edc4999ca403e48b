-- Finished calls are found by the time of their end (`chattrix-ctl cdr`). The end is written by the statement
-- that changes the status, so it joins the index that changes with it: a call has no entry more than before.
ALTER TABLE calls
  DROP INDEX calls_status,
  ADD INDEX calls_status (status, ended_at);
