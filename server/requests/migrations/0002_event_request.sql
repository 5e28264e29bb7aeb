-- +goose Up

-- Before a request is deleted SQLite looks whether an event is left of it.
CREATE INDEX event_request ON event (request);
