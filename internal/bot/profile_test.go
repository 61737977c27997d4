package bot

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

func TestNamesOfPeople(t *testing.T) {
	t.Parallel()
	for facebook, want := range map[string]map[string]string{
		`{"first_name":"Ana","last_name":"Quispe","name":"Ana Maria Quispe"}`: {"_userFirstName": "Ana", "_userLastName": "Quispe", "_userFullName": "Ana Quispe"},
		`{"name":"Sample Customer","id":"7711"}`:                              {"_userFirstName": "Sample", "_userFullName": "Sample Customer"},
		`{"name":" Cher "}`:                                                   {"_userFirstName": "Cher", "_userFullName": "Cher"},
		`{"first_name":"Ana"}`:                                                {"_userFirstName": "Ana", "_userFullName": "Ana"},
		`{"locale":"es_PE","name":""}`:                                        {"_userLocale": "es_PE"},
		`{}`:                                                                  {},
	} {
		got := profileVariables(&gateway.Profile{Doc: map[string]json.RawMessage{gateway.FieldFacebook: json.RawMessage(facebook)}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", facebook, diff)
		}
	}
}
