package receipts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"coverd/index"
	"coverd/server/api"
)

// requestQuestion begins the question of a receipt that is of a service request.
const requestQuestion = "POST " + api.ServiceRequestPath

// Claimed is what CSPs claim of the premises that a service request was found to
// be about.
type Claimed struct {
	UPRN api.UPRN // absent: it has none
	Indicated
}

// SignRequest makes the receipt of an answer to a service request: question is
// what was asked, POST and the path first, answer the member `answer` as it is
// sent, which is a location's; snapshot is the ID of the one that it is from.
// claimed is nil where the extracts have no premises there: then the statement is
// what the answer says of the location.
func (s *Signer) SignRequest(question string, answer []byte, snapshot string, at time.Time, claimed *Claimed) (compact string, err error) {
	if !strings.HasPrefix(question, requestQuestion) {
		return "", fmt.Errorf("the question is not of a service request: %q", question)
	}
	var a api.LocationAnswer
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", fmt.Errorf("the answer to a service request: %w", err)
	}
	st := Statement{
		IssuedAt: at.Unix(), Question: question, AnswerSHA256: Digest(answer), Snapshot: snapshot, AsOf: a.Snapshot.AsOf.V,
		On: a.Query.On.V, Known: a.Snapshot.AsOf.V + index.Day(a.Snapshot.AgeDays),
	}
	st.StateLocation(&a)
	if claimed != nil {
		st.Place.UPRN, st.Basis, st.Estimate, st.Indicated, st.Area = claimed.UPRN, BasisClaims, false, claimed.Indicated, nil
	}
	return s.Sign(st)
}

// StateLocation states what was answered about a location.
func (s *Statement) StateLocation(a *api.LocationAnswer) {
	s.Outcome, s.Region = a.Outcome, string(a.Region.Name)
	s.Place.Location = &api.Point{Latitude: a.Location.Latitude, Longitude: a.Location.Longitude}
	s.StateEstimate(&a.Coverage)
	s.Area = areaOf(a.Areas)
}

// StateEstimate states an estimate. nil is none: then premises are summed up, by
// what CSPs claim of them, or, of a day that is past, nothing is said.
func (s *Statement) StateEstimate(e *api.Estimate) {
	switch {
	case e != nil:
		s.Estimate, s.Basis, s.State = true, cmp.Or(string(e.Basis), BasisNone), e.State
		if e.Fit != nil && covers(e.State) {
			s.From = e.Fit.From.V
		}
	case s.Outcome == api.NoPremisesFound:
		s.Basis = BasisNone
	default:
		s.Basis = BasisClaims
	}
}

// covers tells the states of which it is said from when there is coverage.
func covers(state string) bool {
	return state == index.Available.String() || state == index.Planned.String()
}

// areaOf is the best of what coverage areas claim, the smallest standing on each
// network region, which comes first. Virtual WAN is none, whatever counts
// elsewhere: the answer does not tell.
func areaOf(areas []api.Area) *Indicated {
	rank := map[string]int{}
	for i, s := range index.States {
		rank[s.String()] = i + 1
	}
	var best *Indicated
	seen := map[string]bool{index.NetworkUnknown.String(): true, index.NetworkSMETS1.String(): true}
	for i := range areas {
		a := &areas[i]
		virtual := index.Claim{Technology: string(a.WANTechnology)}
		if seen[a.NetworkRegion] || virtual.IsVWAN() {
			continue
		}
		seen[a.NetworkRegion] = true
		said := Indicated{State: a.State}
		if covers(a.State) {
			said.From, said.Until = a.From.V, a.CoverageEndDate.V
		}
		if best == nil || rank[said.State] < rank[best.State] || said.State == best.State && said.From < best.From {
			best = &said
		}
	}
	return best
}

// OfRequest reports whether the statement is about the member `answer` of a
// service request: what stands beside that, it does not vouch for.
func (s *Statement) OfRequest() bool { return strings.HasPrefix(s.Question, requestQuestion) }

// answered is the part of an answer that a statement is about: all of it, or of
// a service request its member `answer`.
func (s *Statement) answered(answer []byte) []byte {
	if !s.OfRequest() {
		return answer
	}
	var request struct {
		Answer json.RawMessage `json:"answer"`
	}
	if json.Unmarshal(answer, &request) == nil && request.Answer != nil {
		return request.Answer
	}
	return answer
}
