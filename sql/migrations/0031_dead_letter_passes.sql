-- Messages of others are found by their message id, whatever their letter's state: a pass over the queue looks each one up.

SET LOCAL ROLE pcw_owner;

CREATE INDEX dead_letters_by_message ON dead_letters (tenant_id, message_id) WHERE stage = 'event';

RESET ROLE;
