package authflow

import (
	"context"
	"errors"
	"fmt"

	"brama/internal/audit"
	"brama/storage"
)

// errBlocked is returned for somebody whom the operator keeps out.
var errBlocked = errors.New("authflow: person is blocked")

// EndBlocked takes from everybody in Config.Blocked what they still have: sessions, whose portals are told, and all that was granted.
// Whoever has nothing leaves no line in the audit. It is called before the first request (threat T80).
func (f *Flow) EndBlocked(ctx context.Context) error {
	for person := range f.Blocked {
		if err := f.endPerson(ctx, person); err != nil {
			return fmt.Errorf("blocking a person: %w", err)
		}
	}
	return nil
}

func (f *Flow) endPerson(ctx context.Context, person string) error {
	var sessions, grants int
	err := f.Store.Update(ctx, func(tx storage.Tx) error {
		list, err := storage.SessionsOf(tx, person)
		if err != nil {
			return err
		}
		sessions = len(list)
		for _, s := range list {
			if _, err := storage.EndSession(tx, s.ID); err != nil {
				return err
			}
			if err := errors.Join(f.farewell(tx, person, s.Logins), f.endGrants(tx, &s)); err != nil {
				return err
			}
		}
		grants, err = storage.RevokeGrantsOf(tx, person, f.Now())
		return err
	})
	if err != nil || sessions+grants == 0 {
		return err
	}
	if sessions > 0 && f.Farewell != nil {
		f.Farewell()
	}
	return f.Audit.Record(ctx, audit.Event{Action: "person.blocked", Outcome: audit.Passed, Person: person, Actor: "system",
		Detail: map[string]string{"sessions": fmt.Sprint(sessions), "grants": fmt.Sprint(grants)}})
}
