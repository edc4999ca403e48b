-- Finished calls are found by the time of their end (`chattrix-ctl cdr`). The end is written by the statement
-- that changes the status, so it joins the index that changes with it: a call has no entry more than before. A
-- call's life in the redo log (an INSERT, four UPDATEs; MariaDB 10.11): 3.5 kB with either index, 3.7 kB with one
-- of its own for the end.
ALTER TABLE calls
  DROP INDEX calls_status,
  ADD INDEX calls_status (status, ended_at);
