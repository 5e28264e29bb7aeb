package index
import ("testing";"math/rand/v2";"os")
func BenchmarkZZ(b *testing.B) {
	f, err := readFile(os.Getenv("COVERD_SNAPSHOT"))
	if err != nil { b.Fatal(err) }
	s, err := OpenBytes(f)
	if err != nil { b.Fatal(err) }
	rng := rand.New(rand.NewPCG(2, 2))
	rows := make([]int, 1<<16)
	for i := range rows { rows[i] = rng.IntN(s.premises.n) }
	for _, hot := range []int{63, 1<<16-1} {
	name := "hot/"; if hot > 100 { name = "cold/" }
	sink := 0
	for _, f := range []struct{n string; f func(i int)}{
		{"uprn", func(i int) { sink += int(s.roster.uprn(rows[i])) }},
		{"address", func(i int) { sink += s.roster.address(rows[i]) }},
		{"Address", func(i int) { sink += len(Premises{s,uint32(rows[i])}.Address()) }},
		{"kind", func(i int) { sink += s.roster.kind(rows[i]) }},
		{"at", func(i int) { sink += int(s.premises.at(rows[i]).Lat) }},
		{"claims", func(i int) { sink += int(Premises{s,uint32(rows[i])}.Claims().code) }},
		{"state", func(i int) { sink += int(Premises{s,uint32(rows[i])}.Claims().State(worldDay)) }},
		{"fit", func(i int) { f, _ := (Premises{s,uint32(rows[i])}).Claims().Fit(worldDay); sink += int(f.Status.State) }},
		{"all", func(i int) { p := Premises{s, uint32(rows[i])}
				p.UPRN()
				p.Address()
				p.At()
				set := p.Claims()
				set.State(worldDay)
				for c := range set.Len() {
					claim, _ := set.At(c)
					claim.On(worldDay)
				}
				set.Fit(worldDay)
				}},
	} {
		b.Run(name+f.n, func(b *testing.B) { for i := 0; b.Loop(); i++ { f.f(i & hot) } })
	}
	_ = sink
	}
}
