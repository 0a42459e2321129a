-- Whether the holder of a lease also holds the advisory lock that tells others that its session lives.
--
-- Who finds the lock free takes over at once: the holder's session has ended. That holds only for a holder who had the lock. Two
-- processes that came at the same moment, one with the lock and the other a little earlier at the row, could take the lease from each
-- other: the second took it from a first one that lived. Now a lease without the lock ends only with its time.

SET LOCAL ROLE pcw_owner;

ALTER TABLE leases ADD COLUMN is_hinted boolean NOT NULL DEFAULT true;

RESET ROLE;
