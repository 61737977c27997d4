package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// errTooLong ends an import whose file has a record without end: a quote that is not closed takes
// the rest of a file.
var errTooLong = fmt.Errorf("a record is longer than %d bytes; is a quotation mark not closed?", MaxRecord)

// jsonSuffix marks a column whose cells hold JSON instead of text.
const jsonSuffix = ":json"

// column is where the cells of a CSV column go.
type column struct {
	name string   // as the header has it
	path []string // of the member; more than one name where it lies deeper
	json bool
}

// csvReader reads records of a CSV file (RFC 4180), separated by commas, semicolons or tabs,
// whichever the header has most of.
type csvReader struct {
	r       *csv.Reader
	source  *limited
	columns []column
	names   []string
	from    int64 // the byte where r began
	lines   int64 // lines before that
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// newCSV reads the header of a file. offset and lines say where a former import stopped, 0 for the
// beginning.
func newCSV(file io.ReadSeeker, offset, lines int64) (*csvReader, error) {
	header := &csvReader{}
	buffered := bufio.NewReaderSize(file, 64<<10)
	if start, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		buffered.Discard(len(byteOrderMark))
		header.from = int64(len(byteOrderMark))
	}
	sample, _ := buffered.Peek(64 << 10)
	if bytes.IndexByte(sample, '\r') >= 0 && bytes.IndexByte(sample, '\n') < 0 {
		return nil, errors.New("the lines of the file end in CR alone: save it with LF or CRLF at the ends of lines")
	}
	comma := separator(sample)
	header.start(buffered, comma)
	names, err := header.r.Read()
	if err == io.EOF {
		return nil, errors.New("the file has no header")
	}
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if header.columns, err = parseColumns(names); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(header.columns, func(c column) bool {
		return slices.Contains(knownColumns(), c.path[0]) || strings.HasPrefix(c.path[0], gateway.FieldMessenger)
	}) {
		return nil, fmt.Errorf("the header has none of the columns %s: is the first line a record?", strings.Join(knownColumns(), ", "))
	}
	header.names = slices.Clone(names)
	if offset == 0 {
		return header, nil
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	c := &csvReader{columns: header.columns, names: header.names, from: offset, lines: lines}
	c.start(file, comma)
	return c, nil
}

// knownColumns are the columns of which a file must have one at least.
func knownColumns() []string {
	return append([]string{gateway.FieldID, columnPerson, columnUserKey}, gateway.ProfileQueryFields()...)
}

func (c *csvReader) start(r io.Reader, comma rune) {
	c.source = &limited{r: r}
	c.r = csv.NewReader(c.source)
	c.r.Comma, c.r.FieldsPerRecord, c.r.ReuseRecord = comma, -1, true
}

// separator returns which of comma, semicolon and tab the first line has most of outside of quotes.
func separator(sample []byte) rune {
	counts := map[byte]int{}
	quoted := false
	for _, b := range sample {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte{';', '\t'} {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return rune(best)
}

// parseColumns reads the header: `name` for text, `name:json` for JSON, `a.b` for a member of an
// object (`\.` for a dot).
func parseColumns(names []string) ([]column, error) {
	columns := make([]column, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" || seen[name] {
			return nil, fmt.Errorf("column %d of the header has no name, or one that is there already: %q", i+1, name)
		}
		seen[name] = true
		c := column{name: name}
		name, c.json = strings.CutSuffix(name, jsonSuffix)
		if strings.HasPrefix(name, gateway.FieldMessenger+".") {
			c.path = []string{name}
		} else {
			c.path = splitPath(name)
		}
		columns[i] = c
	}
	return columns, nil
}

func splitPath(name string) []string {
	var path []string
	var part strings.Builder
	escaped := false
	for _, r := range name {
		switch {
		case escaped:
			part.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '.':
			path = append(path, part.String())
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return append(path, part.String())
}

// escapePath is a member's name as a column has it.
func escapePath(name string) string {
	return strings.NewReplacer(`\`, `\\`, `.`, `\.`).Replace(name)
}

func (c *csvReader) next() (line, error) {
	cells, err := c.r.Read()
	if err == io.EOF {
		return line{}, io.EOF
	}
	var wrong *csv.ParseError
	if err != nil && (!errors.As(err, &wrong) || errors.Is(err, errTooLong)) {
		return line{}, err
	}
	c.source.end = c.r.InputOffset()
	l := line{end: c.from + c.r.InputOffset()}
	if wrong != nil {
		l.number, l.lines = c.lines+int64(wrong.StartLine), c.lines+int64(wrong.Line)
		l.err = gateway.Invalid("", "the record is not CSV: %v", wrong.Err)
		return l, nil
	}
	first, _ := c.r.FieldPos(0)
	last, _ := c.r.FieldPos(len(cells) - 1)
	l.number = c.lines + int64(first)
	l.lines = c.lines + int64(last) + int64(strings.Count(cells[len(cells)-1], "\n"))
	l.members, l.err = c.members(cells)
	return l, nil
}

func (c *csvReader) members(cells []string) (map[string]json.RawMessage, *gateway.Error) {
	if len(cells) != len(c.columns) {
		return nil, gateway.Invalid("", "the record has %d fields, the header %d", len(cells), len(c.columns))
	}
	if field := validText(c.names, cells); field != "" {
		return nil, gateway.Invalid(field, "is not UTF-8")
	}
	members, deep := map[string]json.RawMessage{}, map[string]map[string]any{}
	for i, text := range cells {
		if text == "" {
			continue // the field is left out
		}
		col := c.columns[i]
		value, err := col.value(text)
		if err != nil {
			return nil, err
		}
		if len(col.path) == 1 {
			members[col.path[0]] = value
			continue
		}
		if deep[col.path[0]] == nil {
			deep[col.path[0]] = map[string]any{}
		}
		if !place(deep[col.path[0]], col.path[1:], value) {
			return nil, gateway.Invalid(col.name, "contradicts another column")
		}
	}
	for name, object := range deep {
		if _, there := members[name]; there {
			return nil, gateway.Invalid(name, "contradicts another column")
		}
		encoded, err := json.Marshal(object)
		if err != nil {
			return nil, gateway.Invalid(name, "cannot be written as JSON")
		}
		members[name] = encoded
	}
	return members, nil
}

// place puts a value into an object at a path; false when something that is no object is in the
// way.
func place(object map[string]any, path []string, value json.RawMessage) bool {
	for _, name := range path[:len(path)-1] {
		if object[name] == nil {
			object[name] = map[string]any{}
		}
		inner, ok := object[name].(map[string]any)
		if !ok {
			return false
		}
		object = inner
	}
	name := path[len(path)-1]
	if object[name] != nil {
		return false
	}
	object[name] = value
	return true
}

func (c column) value(text string) (json.RawMessage, *gateway.Error) {
	switch {
	case c.json:
		if !json.Valid([]byte(text)) {
			return nil, gateway.Invalid(c.name, "is not JSON")
		}
		return json.RawMessage(text), nil
	case c.name == gateway.FieldOptIn && !strings.HasPrefix(strings.TrimSpace(text), "["):
		list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;| \t\n", r) })
		return encode(list), nil
	case c.name == gateway.FieldOptIn || c.name == gateway.FieldMessenger:
		if !json.Valid([]byte(text)) {
			return nil, gateway.Invalid(c.name, "is not JSON")
		}
		return json.RawMessage(text), nil
	}
	return encode(text), nil
}

// encode writes a value that cannot fail: a text or a list of them.
func encode[T string | []string](v T) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
