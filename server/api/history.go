package api

// IndicatedSince tells whether coverage on the day asked about was indicated:
// whether, on a known day from `indicated_since` up to the known day asked about
// (or the day asked about, if that is before), the premises was available on that
// day.
type IndicatedSince struct {
	Since     Date  `json:"since"`
	Indicated *bool `json:"indicated"` // null: not on any day that is remembered, which not all are
	Known     Date  `json:"known"`     // the last known day on which it was; null: none
	// RememberedFrom is the first known day that is remembered, where that is
	// after since.
	RememberedFrom Date `json:"remembered_from,omitzero"`
}

func (i *IndicatedSince) appendJSON(b []byte) []byte {
	b = i.Since.appendJSON(append(b, `{"since":`...))
	b = append(b, `,"indicated":`...)
	if i.Indicated == nil {
		b = append(b, "null"...)
	} else {
		b = appendBool(b, *i.Indicated)
	}
	b = i.Known.appendJSON(append(b, `,"known":`...))
	if i.RememberedFrom != (Date{}) {
		b = i.RememberedFrom.appendJSON(append(b, `,"remembered_from":`...))
	}
	return append(b, '}')
}

// appendKnown appends the known days of a query.
func appendKnown(b []byte, known, since Date) []byte {
	if known != (Date{}) {
		b = known.appendJSON(append(b, `,"known":`...))
	}
	if since != (Date{}) {
		b = since.appendJSON(append(b, `,"indicated_since":`...))
	}
	return b
}

// HistoryAnswer answers GET /v1/premises/{uprn}/history: what the database said
// of a premises on known days, as far as it is remembered. Where the premises is
// and its address are as they are now, or were last.
type HistoryAnswer struct {
	Query             HistoryQuery `json:"query"`
	Outcome           string       `json:"outcome"` // no_premises_found: it has gone
	UPRN              UPRN         `json:"uprn"`
	Postcode          PostcodeText `json:"postcode"`
	AddressIdentifier Text         `json:"address_identifier"`
	Latitude          Degrees      `json:"latitude"`
	Longitude         Degrees      `json:"longitude"`
	// RememberedFrom is the first known day that can be answered about.
	RememberedFrom Date         `json:"remembered_from"`
	History        []Indication `json:"history"` // oldest first
	// Next is the path of the page that follows; null on the last.
	Next     Text        `json:"next"`
	Snapshot SnapshotRef `json:"snapshot"`
}

// HistoryQuery repeats the question, days filled in.
type HistoryQuery struct {
	UPRN          UPRN `json:"uprn"`
	On            Date `json:"on"`
	From          Date `json:"from"`
	To            Date `json:"to"`
	NetworkRegion Text `json:"network,omitempty"`
	Limit         int  `json:"limit"`
}

// Indication is what was said of a premises from one known day to another, both
// included.
type Indication struct {
	From     Date      `json:"from"` // null: since before what is remembered
	To       Date      `json:"to"`   // null: until now
	Present  bool      `json:"present"`
	State    Text      `json:"state"` // on the day asked about; null where there was no such premises
	Conflict bool      `json:"conflict,omitempty"`
	Fit      *Fit      `json:"fit"`
	Networks []Network `json:"networks"`
	Snapshot string    `json:"snapshot"` // the ID of the first that said so
}
