-- Cohorts: which one a task belongs to, whether it has yet to be released, and their state as JSON with the run.
ALTER TABLE plan_task ADD COLUMN cohort INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN gated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN cohorts TEXT;
