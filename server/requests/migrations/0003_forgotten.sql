-- +goose Up

-- The time before which requests were closed that have been deleted: it stays when they are kept for longer from then on.
ALTER TABLE mark ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
