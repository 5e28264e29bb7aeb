package api

import "coverd/geo"

// PostcodeAnswer answers GET /v1/postcodes/{postcode}.
type PostcodeAnswer struct {
	Query   PostcodeQuery `json:"query"`
	Outcome string        `json:"outcome"`          // premises_found or no_premises_found
	Reason  string        `json:"reason,omitempty"` // of no_premises_found
	// AddressMatch comes with premises that were found by an address.
	AddressMatch AddressMatch `json:"address_match,omitzero"`
	Postcode     Postcode     `json:"postcode"`
	Region       Region       `json:"region"`
	Summary      Summary      `json:"summary"`
	Premises     []Premises   `json:"premises"`

	// Candidates are the addresses there are, where none is the one asked for,
	// those most like it first; at most 100.
	Candidates []string `json:"candidates,omitempty"`
	// Estimate and NextStep come with no_premises_found.
	Estimate *Estimate `json:"estimate,omitempty"`
	NextStep *NextStep `json:"next_step,omitempty"`

	Explanation *Explanation `json:"explanation,omitempty"`
	Snapshot    SnapshotRef  `json:"snapshot"`
}

// PostcodeQuery repeats the question, days filled in.
type PostcodeQuery struct {
	Postcode       geo.Postcode `json:"postcode"`
	On             Date         `json:"on"`
	Known          Date         `json:"known,omitzero"`
	IndicatedSince Date         `json:"indicated_since,omitzero"`
	Address        Text         `json:"address,omitempty"`
	NetworkRegion  Text         `json:"network,omitempty"`
}

// AddressMatch says how the premises of an address were found.
type AddressMatch struct {
	// Grade is exact where the address is the same but for case and spacing, or
	// normalised where it is written in another way: see
	// [coverd/index.NormalAddress].
	Grade string `json:"grade"`
}

func (m AddressMatch) appendJSON(b []byte) []byte {
	return append(appendNamed(b, `{"grade":`, m.Grade), '}')
}

// AppendJSON appends the answer.
func (a *PostcodeAnswer) AppendJSON(b []byte) []byte {
	b = a.AppendOpening(b)
	for i := range a.Premises {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.Premises[i].appendJSON(b)
	}
	return a.AppendClosing(b)
}

// AppendOpening appends the answer up to its first premises, for who appends
// these on their own: see [AppendLocated].
func (a *PostcodeAnswer) AppendOpening(b []byte) []byte {
	b = append(a.Query.Postcode.AppendTo(append(b, `{"query":{"postcode":"`...)), '"')
	b = a.Query.On.appendJSON(append(b, `,"on":`...))
	b = appendKnown(b, a.Query.Known, a.Query.IndicatedSince)
	if a.Query.Address != "" {
		b = appendNamed(b, `,"address":`, string(a.Query.Address))
	}
	if a.Query.NetworkRegion != "" {
		b = appendNamed(b, `,"network":`, string(a.Query.NetworkRegion))
	}
	b = appendNamed(b, `},"outcome":`, a.Outcome)
	if a.Reason != "" {
		b = appendNamed(b, `,"reason":`, a.Reason)
	}
	if a.AddressMatch.Grade != "" {
		b = a.AddressMatch.appendJSON(append(b, `,"address_match":`...))
	}
	b = a.Postcode.appendJSON(append(b, `,"postcode":`...))
	b = a.Region.appendJSON(append(b, `,"region":`...))
	b = a.Summary.appendJSON(append(b, `,"summary":`...))
	return append(b, `,"premises":[`...)
}

// AppendClosing appends the answer from behind its last premises.
func (a *PostcodeAnswer) AppendClosing(b []byte) []byte {
	b = append(b, ']')
	if len(a.Candidates) > 0 {
		b = append(b, `,"candidates":[`...)
		for i, c := range a.Candidates {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, c)
		}
		b = append(b, ']')
	}
	b = appendAbsence(b, a.Estimate, a.NextStep)
	b = appendExplanation(b, a.Explanation)
	b = a.Snapshot.appendJSON(append(b, `,"snapshot":`...))
	return append(b, '}')
}
