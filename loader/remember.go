package loader

import "hash/maphash"

// remembered maps short texts to numbers for one worker: it forgets a text when
// another takes its slot, so it is bounded whatever a provider sends.
//
// Why not a map: national extracts have some 66,000 address identifiers. A map
// of them costs 100 ns a row, spent waiting for memory: for the group of slots,
// for the string header in it, for the text. Here the text is in the slot, which
// half a cache line holds, and it is 36 ns. It takes 2 MB.
type remembered struct {
	seed  maphash.Seed
	slots []rememberedText
}

type rememberedText struct {
	id   uint32
	n    uint8 // length; 0: nothing here
	text [27]byte
}

const rememberedSlots = 1 << 16

func newRemembered() *remembered {
	return &remembered{maphash.MakeSeed(), make([]rememberedText, rememberedSlots)}
}

// find returns the slot of a text that is not empty: where it is, or where it
// may be put. That is one of two beside each other; what is found comes first,
// so that the text put in their place is the one not asked for lately. There is
// none for texts too long.
func (m *remembered) find(text []byte) (slot *rememberedText, found bool) {
	if len(text) > len(rememberedText{}.text) {
		return nil, false
	}
	i := maphash.Bytes(m.seed, text) % (rememberedSlots / 2) * 2
	pair := m.slots[i : i+2 : i+2]
	if pair[0].holds(text) {
		return &pair[0], true
	}
	pair[0], pair[1] = pair[1], pair[0]
	return &pair[0], pair[0].holds(text)
}

func (s *rememberedText) holds(text []byte) bool {
	return int(s.n) == len(text) && string(s.text[:s.n]) == string(text)
}

func (s *rememberedText) set(text []byte, id uint32) {
	s.id, s.n = id, uint8(copy(s.text[:], text))
}
