-- The uids of both participants in Agora's channel (contract, section 4: tokens), so that a token's audit row
-- can be written by the statement that reads the call. NULL in calls from before.
ALTER TABLE calls
  ADD COLUMN caller_uid INT UNSIGNED NULL AFTER callee_id,
  ADD COLUMN callee_uid INT UNSIGNED NULL AFTER caller_uid;
