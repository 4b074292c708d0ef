package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
)

// A Plan is what `brama diia setup` finds or makes.
type Plan struct {
	Branch     PlanBranch `yaml:"branch"`
	Offer      string     `yaml:"offer"`
	ReturnLink string     `yaml:"return_link"`
}

// A PlanBranch is a branch of the acquirer, all of it required.
type PlanBranch struct {
	Name     string `yaml:"name"`
	FullName string `yaml:"full_name"`
	Address  string `yaml:"address"`
	Email    string `yaml:"email"`
	Region   string `yaml:"region"`
	District string `yaml:"district"`
	Location string `yaml:"location"`
	Street   string `yaml:"street"`
	House    string `yaml:"house"`
}

// LoadPlan reads the plan in a file.
func LoadPlan(name string) (*Plan, error) {
	b, err := readFile(name)
	if err != nil {
		return nil, err
	}
	p, err := ParsePlan(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// ParsePlan reads a plan.
func ParsePlan(b []byte) (*Plan, error) {
	var p Plan
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&p); err != nil {
		return nil, withoutSource(err)
	}
	k := new(checker)
	for field, value := range map[string]string{"branch.name": p.Branch.Name, "branch.full_name": p.Branch.FullName, "branch.address": p.Branch.Address,
		"branch.email": p.Branch.Email, "branch.region": p.Branch.Region, "branch.district": p.Branch.District, "branch.location": p.Branch.Location,
		"branch.street": p.Branch.Street, "branch.house": p.Branch.House, "offer": p.Offer} {
		k.required(field, value)
	}
	if p.ReturnLink == "" {
		k.required("return_link", "")
	} else if u := p.ReturnLink; len(u) < 9 || u[:8] != "https://" {
		k.fault("return_link", "%q is not an https address", u)
	}
	return &p, errors.Join(k.faults...)
}
