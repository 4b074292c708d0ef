package dstu4145

func sum256(m []byte) [32]byte { return sum256Portable(m) }
