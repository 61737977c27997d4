package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// OldKeys is a table from another provider's user keys to the people they stand for. It takes about
// 100 bytes of memory a row.
type OldKeys struct {
	applications []string
	index        map[string]uint16
	people       map[[16]byte][]oldPerson
}

type oldPerson struct {
	application uint16
	person      string
}

// ReadOldKeys reads a table: CSV whose rows are old key, application key and PSID. A first row of
// the names oldKey, application, psid is passed over; an empty application means usual.
func ReadOldKeys(r io.Reader, usual string) (*OldKeys, error) {
	k := &OldKeys{index: map[string]uint16{}, people: map[[16]byte][]oldPerson{}}
	content, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return nil, err
	}
	content = bytes.TrimPrefix(content, byteOrderMark)
	c := csv.NewReader(io.MultiReader(bytes.NewReader(content), r))
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = separator(content), 3, true
	for first := true; ; first = false {
		row, err := c.Read()
		if err == io.EOF {
			return k, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the table of user keys: %w", err)
		}
		if first && strings.EqualFold(strings.TrimSpace(row[0]), "oldKey") {
			continue
		}
		if err := k.add(row, usual); err != nil {
			number, _ := c.FieldPos(0)
			return nil, fmt.Errorf("read the table of user keys: line %d: %w", number, err)
		}
	}
}

func (k *OldKeys) add(row []string, usual string) error {
	old, application, person := strings.TrimSpace(row[0]), strings.TrimSpace(row[1]), strings.TrimSpace(row[2])
	if application == "" {
		application = usual
	}
	if old == "" || application == "" || person == "" {
		return fmt.Errorf("a row has an old key, an application and a person's id")
	}
	at, known := k.index[application]
	if !known {
		if len(k.applications) == 1<<16 {
			return fmt.Errorf("the table has more than %d applications", 1<<16)
		}
		at = uint16(len(k.applications))
		k.index[strings.Clone(application)] = at
		k.applications = append(k.applications, strings.Clone(application))
	}
	hash := hashOf(old)
	for _, p := range k.people[hash] {
		if p.application == at && p.person != person {
			return fmt.Errorf("the key stands for two people of application %s", application)
		}
		if p.application == at {
			return nil
		}
	}
	k.people[hash] = append(k.people[hash], oldPerson{at, strings.Clone(person)})
	return nil
}

// People returns the people whom an old key stands for: application key → PSID.
func (k *OldKeys) People(old string) map[string]string {
	people := map[string]string{}
	for _, p := range k.people[hashOf(old)] {
		people[k.applications[p.application]] = p.person
	}
	return people
}

// hashOf is a key; one that is hexadecimal counts without regard to case, as providers have written
// the same key in both.
func hashOf(key string) [16]byte {
	if !strings.ContainsFunc(key, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }) {
		key = strings.ToLower(key)
	}
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}
