package trustlist

// For tests outside the package.
const ManyIssued = manyIssued

// TableOctets is what the tables of issuers' keys take.
func (s *Store) TableOctets() int { return int(s.tables.octets.Load()) }
