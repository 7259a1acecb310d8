-- What the sample data put there, and nothing else: so that taking it away takes exactly that.

CREATE TABLE sample (
  kind {text} NOT NULL,                  -- contact, ticket, message, …: the table's name
  row_id {int} NOT NULL,
  called {text} NOT NULL,                -- how the script calls it
  PRIMARY KEY (kind, row_id)
){strict};
CREATE INDEX sample_called ON sample (kind, called);
