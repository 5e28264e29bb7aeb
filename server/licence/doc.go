// Package licence reads standard condition 49.8(c), 49.9 and 49.10 of the supply
// licence ("install and leave") against what the database indicated, when, and
// who looked: conclusions, with their working.
//
// It is given everything ([Input]) and asks nobody: no clock, no snapshot, no
// store. So each conclusion can be worked out again from what the answer shows,
// and is tested so, by a twin that goes day by day.
//
// # How the paragraphs are read
//
// Two days are never mixed: the day that the database is read (known) and the day
// that it is read about (on). A day is a calendar day in London.
//
// 49.8(c): the exception applies where the database, read on the day of the
// check, indicates that the SM WAN is not available on the Installation Date, and
// will be on a later date that is before the cut-off date. The cut-off date was
// 1 January 2021 when the licence was written, and is the caller's to give; on
// that date itself is not before it.
//
// 49.9: the exception ends on the first day, from the Installation Date on, of
// which the database as read on that very day says that the SM WAN is available.
// A plan that moves moves the end; a plan by itself ends nothing. What happens
// afterwards does not bring the exception back.
//
// 49.10: the licensee must act only if it ascertains, on any of the 30 days
// before the Applicable Date, that the database indicates availability on that
// date. It is the recorded check that counts: what the database held while nobody
// looked is "indicated but not ascertained". The days are D-30 to D, both
// included; a check made on the Applicable Date itself is said to be one.
//
// 49.8(a) and (b), and which day is the Applicable Date, are the caller's to say.
//
// # What is never guessed
//
// What the database said before the first day that is remembered is not known,
// unless a check on record tells. An estimate is no indication: it is not what
// the database says of a place, but what follows from its neighbours.
package licence
