package geo

// Mesh is a list of shapes laid out flat: nothing in it is a pointer, so it
// can be written to a file as it is and costs the garbage collector nothing.
// Each ring repeats its first vertex at its end, so that edge i runs from
// vertex i to vertex i+1.
type Mesh struct {
	Vertices []LatLng
	Rings    []uint32 // ring i is Vertices[Rings[i]:Rings[i+1]]
	Polygons []uint32 // polygon i is rings Polygons[i] to Polygons[i+1]
	Shapes   []uint32 // shape i is polygons Shapes[i] to Shapes[i+1]
}

// NewMesh lays out shapes. Rings of fewer than three vertices have no inside
// and are left out.
func NewMesh(shapes []MultiPolygon) Mesh {
	m := Mesh{Rings: []uint32{0}, Polygons: []uint32{0}, Shapes: []uint32{0}}
	for _, s := range shapes {
		for _, g := range s {
			for _, r := range g {
				if len(r) < 3 {
					continue
				}
				m.Vertices = append(append(m.Vertices, r...), r[0])
				m.Rings = append(m.Rings, uint32(len(m.Vertices)))
			}
			m.Polygons = append(m.Polygons, uint32(len(m.Rings)-1))
		}
		m.Shapes = append(m.Shapes, uint32(len(m.Polygons)-1))
	}
	return m
}

// Len returns the number of shapes.
func (m *Mesh) Len() int { return max(len(m.Shapes)-1, 0) }

// Shape returns shape i in the nested form.
func (m *Mesh) Shape(i int) MultiPolygon {
	var s MultiPolygon
	for g := m.Shapes[i]; g < m.Shapes[i+1]; g++ {
		s = append(s, m.Polygon(int(g)))
	}
	return s
}

// Polygon returns polygon i in the nested form; its rings share the mesh's
// memory.
func (m *Mesh) Polygon(i int) Polygon {
	var g Polygon
	for r := m.Polygons[i]; r < m.Polygons[i+1]; r++ {
		g = append(g, Ring(m.Vertices[m.Rings[r]:m.Rings[r+1]-1]))
	}
	return g
}

// edges calls f with every edge (the number of its first vertex), its polygon
// and its shape.
func (m *Mesh) edges(f func(edge, polygon, shape uint32)) {
	for s := range uint32(m.Len()) {
		for g := m.Shapes[s]; g < m.Shapes[s+1]; g++ {
			for r := m.Polygons[g]; r < m.Polygons[g+1]; r++ {
				for e := m.Rings[r]; e+1 < m.Rings[r+1]; e++ {
					f(e, g, s)
				}
			}
		}
	}
}

// EdgeList returns the numbers of all edges.
func (m *Mesh) EdgeList() []uint32 {
	var list []uint32
	m.edges(func(e, _, _ uint32) { list = append(list, e) })
	return list
}
