"""Whether each document of standard input, one JSON per line, fits the JSON Schema in the file that is named."""

import json
import sys
from pathlib import Path

import jsonschema_rs

schema = jsonschema_rs.validator_for(json.loads(Path(sys.argv[1]).read_text()))
for line in sys.stdin:
    print(json.dumps(schema.is_valid(json.loads(line))))
