// Package api holds what goes over the wire: the answers of the HTTP interface
// as Go types, and the list of the problems it may report.
//
// Field names are the contract: more may be added, none is renamed. What is
// absent is null, so that a key is always there to be read; only fields marked
// omitempty or omitzero come and go.
//
// # Why JSON is appended by hand
//
// An answer with 17 premises is 3 to 10 KB of JSON. encoding/json takes some
// 8 µs for 3.4 KB and allocates; appending takes a third of that and allocates
// nothing. So the answers that are asked for a million times an hour have an
// AppendJSON beside their struct, and a test holds each to the very bytes that
// encoding/json makes of the same value. All other answers just use
// encoding/json.
package api
