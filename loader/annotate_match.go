package loader

import "coverd/index"

// matched counts the premises with an address, and returns the kind of the one in
// the worst state, and how well the address was matched.
func (a *annotator) matched(unit index.Unit, address []byte) (kind uint32, n int, grade index.AddressGrade) {
	a.details = unit.AppendDetails(a.details[:0])
	a.matcher.Ask(address)
	a.found, grade = a.matcher.AppendFound(a.found[:0], a.details)
	worst := index.State(0)
	for _, i := range a.found {
		k := a.details[i].Kind
		if st := a.state(k); st > worst {
			kind, worst = k, st
		}
	}
	return kind, len(a.found), grade
}
