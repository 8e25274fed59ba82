-- Why: answers stay fresh until the next publish of their mart is due, when whoever publishes says so.

ALTER TABLE mart_generation ADD COLUMN next_due_at {{instant}};
