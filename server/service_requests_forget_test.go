package server

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"coverd/server/api"
	"coverd/server/requests"
)

// Requests go when they have been closed for long enough, and with them what the
// feed told until then: who has read on up to there goes on, who has not is told.
func TestServiceRequestsAreForgotten(t *testing.T) {
	for _, keep := range []int{0, 400} {
		now := noon
		s := keepingByHand(t, Options{RequestsKeep: keep, Now: func() time.Time { return now }})
		add := func(body string) string {
			t.Helper()
			return submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, body, strconv.Itoa(len(body)), 201).Reference
		}
		days := func(n int) {
			t.Helper()
			now = noon.AddDate(0, 0, n)
			if err := s.desk.catchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		const undated = `{"latitude":51.2452,"longitude":-0.5823}`
		cancelled, dated, open := add(merrow), add(`{"latitude":51.2452,"longitude":-0.5823,"installation_date":"2026-12-24"}`), add(undated)
		submitted[api.ServiceRequest](t, s, api.ServiceRequestPath+"/"+cancelled+"/cancel", "", "", 200)
		// stand checks which of the three are there, and what of the feed is: the
		// events after `first`, up to `last`.
		stand := func(first, last int, there ...string) {
			t.Helper()
			list := get[api.ServiceRequestList](t, s, api.ServiceRequestPath, 200).ServiceRequests
			if len(list) != len(there) {
				t.Errorf("%d requests, want %d: %+v", len(list), len(there), list)
			}
			for _, ref := range []string{cancelled, dated, open} {
				if slices.Contains(there, ref) {
					get[api.ServiceRequest](t, s, api.ServiceRequestPath+"/"+ref, 200)
				} else {
					problem(t, s, api.ServiceRequestPath+"/"+ref, api.UnknownReference)
				}
			}
			const feed = api.ServiceRequestPath + "/changes"
			for _, uri := range []string{feed, feed + "?since=" + strconv.Itoa(first)} {
				a := get[api.ServiceRequestChanges](t, s, uri, 200)
				if len(a.Changes) != last-first || a.Cursor != strconv.Itoa(last) || first < last && a.Changes[0].Cursor != strconv.Itoa(first+1) {
					t.Errorf("%s: %+v, want those after %d up to %d", uri, a, first, last)
				}
			}
			for since := range first {
				problem(t, s, feed+"?since="+strconv.Itoa(since), api.ChangesTooOld)
			}
			problem(t, s, feed+"?since="+strconv.Itoa(last+1), api.MalformedParameter)
		}
		stand(0, 4, cancelled, dated, open)
		days(400) // the dated one is closed, and the cancelled one for the 400th day
		stand(0, 5, cancelled, dated, open)
		days(401) // the other is closed
		if keep == 0 {
			days(10_000)
			stand(0, 6, cancelled, dated, open)
			continue
		}
		stand(4, 6, dated, open)
		days(801)
		stand(5, 6, open)
		days(802)
		stand(6, 6)
		if again := add(undated); again == open {
			t.Errorf("%s again", open)
		}
		cancelled, dated, open = "SR-0000-0000", "SR-0000-0000", get[api.ServiceRequestList](t, s, api.ServiceRequestPath, 200).ServiceRequests[0].Reference
		stand(6, 7, open)
	}
}

// What has been deleted is not taken for never made by a server that keeps requests
// for longer, and has the file of one that did not.
func TestLicenceKnowsWhatWasForgotten(t *testing.T) {
	now := noon
	ledger := requests.SQLite(filepath.Join(t.TempDir(), "requests.db"))
	conclusion := func(keep int) string {
		t.Helper()
		s := keepingByHand(t, Options{RequestsKeep: keep, Requests: ledger, Now: func() time.Time { return now }})
		if err := s.desk.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now.Equal(noon) {
			r := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, `{"latitude":51.2452,"longitude":-0.5823,"party":"Supplier"}`, "", 201)
			submitted[api.ServiceRequest](t, s, api.ServiceRequestPath+"/"+r.Reference+"/cancel", "", "", 200)
		}
		return install(t, s, "uprn=990061391234"+usualDays+"&party=Supplier&applicable_date="+noon.AddDate(0, 0, 10).Format(time.DateOnly)).Rules[2].Conclusion
	}
	before := conclusion(0)
	if now = noon.AddDate(0, 0, 100); conclusion(0) != before || before == api.LicenceChecksUnavailable {
		t.Errorf("all is kept: %s, then %s", before, conclusion(0))
	}
	for _, keep := range []int{30, 400, 0} {
		if got := conclusion(keep); got != api.LicenceChecksUnavailable {
			t.Errorf("%d: %s, want %s", keep, got, api.LicenceChecksUnavailable)
		}
	}
}

// keepingByHand is a server that keeps service requests, and does what comes with
// time when it is told to.
func keepingByHand(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Requests == nil {
		o.Requests = requests.SQLite(filepath.Join(t.TempDir(), "requests.db"))
	}
	s := testServer(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		s.desk.keeper.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}
