package loader

// memo remembers what was worked out for numbers, most of which are asked for
// again and again. It forgets a number when another takes its slot, so that it
// is bounded whatever a snapshot holds; what was in the slot is handed on, so
// that its memory serves again.
type memo[T any] struct{ slots []memoSlot[T] }

type memoSlot[T any] struct {
	number uint64 // plus 1; 0: nothing here
	value  T
}

const memoSlots = 1 << 13

// of returns the value of a number, which fill works out where it is not
// remembered, over what the slot held before.
func (m *memo[T]) of(number uint64, fill func(*T)) *T {
	if m.slots == nil {
		m.slots = make([]memoSlot[T], memoSlots)
	}
	s := &m.slots[number%memoSlots]
	if s.number != number+1 {
		s.number = number + 1
		fill(&s.value)
	}
	return &s.value
}
