package api

// ChangesAnswer answers GET /v1/changes: a page of what has changed from one
// snapshot to the one that answers.
type ChangesAnswer struct {
	Query    ChangesQuery `json:"query"`
	Snapshot SnapshotRef  `json:"snapshot"` // what the changes lead up to
	Since    Since        `json:"since"`    // what they start from
	Changes  []Change     `json:"changes"`
	// Next is what to give as `after` for the page that follows; null on the
	// last. It stays good when another snapshot is swapped in, as long as that
	// one remembers the night.
	Next Text `json:"next"`
}

// ChangesQuery repeats the question.
type ChangesQuery struct {
	Since   Text        `json:"since"`
	Outcode OutcodeText `json:"outcode,omitzero"`
	After   Text        `json:"after,omitempty"`
	Limit   int         `json:"limit"`
}

// Since names the snapshot that changes start from.
type Since struct {
	ID   string `json:"id"`
	AsOf Date   `json:"as_of"` // the day its data describes
}

// Change is one thing that has changed: of a claim, of a premises, or of a
// postcode. What is not told of its kind is null.
type Change struct {
	Kind              string       `json:"kind"` // the kinds and their texts are those of coverd diff
	Postcode          PostcodeText `json:"postcode"`
	UPRN              UPRN         `json:"uprn"`
	AddressIdentifier Text         `json:"address_identifier"`
	NetworkRegion     Text         `json:"network_region"`
	CSP               Text         `json:"csp"`
	Before            Text         `json:"before"`
	After             Text         `json:"after"`
}

// AppendJSON appends the change.
func (c *Change) AppendJSON(b []byte) []byte {
	b = appendNamed(b, `{"kind":`, c.Kind)
	b = c.Postcode.appendJSON(append(b, `,"postcode":`...))
	b = c.UPRN.appendJSON(append(b, `,"uprn":`...))
	b = c.AddressIdentifier.appendJSON(append(b, `,"address_identifier":`...))
	b = c.NetworkRegion.appendJSON(append(b, `,"network_region":`...))
	b = c.CSP.appendJSON(append(b, `,"csp":`...))
	b = c.Before.appendJSON(append(b, `,"before":`...))
	b = c.After.appendJSON(append(b, `,"after":`...))
	return append(b, '}')
}

// AppendJSON appends the answer.
func (a *ChangesAnswer) AppendJSON(b []byte) []byte {
	b = a.Query.Since.appendJSON(append(b, `{"query":{"since":`...))
	if a.Query.Outcode != (OutcodeText{}) {
		b = a.Query.Outcode.appendJSON(append(b, `,"outcode":`...))
	}
	if a.Query.After != "" {
		b = a.Query.After.appendJSON(append(b, `,"after":`...))
	}
	b = appendInt(b, `,"limit":`, a.Query.Limit)
	b = a.Snapshot.appendJSON(append(b, `},"snapshot":`...))
	b = appendNamed(b, `,"since":{"id":`, a.Since.ID)
	b = a.Since.AsOf.appendJSON(append(b, `,"as_of":`...))
	b = append(b, `},"changes":[`...)
	for i := range a.Changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.Changes[i].AppendJSON(b)
	}
	b = a.Next.appendJSON(append(b, `],"next":`...))
	return append(b, '}')
}
