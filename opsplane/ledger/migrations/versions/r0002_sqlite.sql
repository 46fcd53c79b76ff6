CREATE TABLE checkpoint (
	number INTEGER NOT NULL,
	at INTEGER NOT NULL,
	size INTEGER NOT NULL,
	root BLOB NOT NULL,
	note TEXT NOT NULL,
	PRIMARY KEY (number)
)
 STRICT;
CREATE INDEX ix_checkpoint_at ON checkpoint (at);
CREATE TABLE entry (
	seq INTEGER NOT NULL,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	role TEXT NOT NULL,
	exchange TEXT NOT NULL,
	subject TEXT NOT NULL,
	"key" TEXT NOT NULL,
	payload BLOB NOT NULL,
	sealed BLOB NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (seq)
)
 STRICT;
CREATE INDEX entry_kind ON entry (kind, seq);
CREATE INDEX ix_entry_exchange ON entry (exchange);
CREATE TABLE exchange (
	number INTEGER NOT NULL,
	id TEXT NOT NULL,
	at INTEGER NOT NULL,
	conversation TEXT NOT NULL,
	customer TEXT NOT NULL,
	actor TEXT NOT NULL,
	release TEXT NOT NULL,
	digest TEXT NOT NULL,
	arm TEXT NOT NULL,
	outcome TEXT NOT NULL,
	code TEXT NOT NULL,
	codes TEXT NOT NULL,
	tier TEXT NOT NULL,
	model TEXT NOT NULL,
	input_tokens INTEGER NOT NULL,
	output_tokens INTEGER NOT NULL,
	cached_tokens INTEGER NOT NULL,
	cost_micros INTEGER NOT NULL,
	first_sentence_ms INTEGER,
	total_ms INTEGER NOT NULL,
	rating INTEGER,
	score INTEGER,
	"key" TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (id)
)
 STRICT;
CREATE INDEX ix_exchange_conversation ON exchange (conversation);
CREATE TABLE inbox (
	id INTEGER NOT NULL,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	role TEXT NOT NULL,
	exchange TEXT NOT NULL,
	subject TEXT NOT NULL,
	"key" TEXT NOT NULL,
	payload BLOB NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (id)
)
 STRICT;
CREATE INDEX ix_inbox_exchange ON inbox (exchange);
CREATE INDEX ix_inbox_kind ON inbox (kind);
CREATE TABLE node (
	level INTEGER NOT NULL,
	number INTEGER NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (level, number)
)
 STRICT;
CREATE TABLE passage (
	sha256 TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (sha256)
)
 STRICT;
CREATE TABLE review (
	exchange TEXT NOT NULL,
	at INTEGER NOT NULL,
	reason TEXT NOT NULL,
	rank INTEGER NOT NULL,
	verdict TEXT NOT NULL,
	reviewer TEXT NOT NULL,
	decided INTEGER,
	PRIMARY KEY (exchange)
)
 STRICT;
CREATE INDEX review_open ON review (verdict, rank, at);
CREATE TABLE spend (
	number INTEGER NOT NULL,
	at INTEGER NOT NULL,
	purpose TEXT NOT NULL,
	customer TEXT NOT NULL,
	exchange TEXT NOT NULL,
	release TEXT NOT NULL,
	digest TEXT NOT NULL,
	model TEXT NOT NULL,
	region TEXT NOT NULL,
	input_tokens INTEGER NOT NULL,
	output_tokens INTEGER NOT NULL,
	cached_tokens INTEGER NOT NULL,
	thinking_tokens INTEGER NOT NULL,
	cost_micros INTEGER NOT NULL,
	prices TEXT NOT NULL,
	PRIMARY KEY (number)
)
 STRICT;
CREATE INDEX ix_spend_exchange ON spend (exchange);
CREATE INDEX spend_customer ON spend (customer, at, purpose, cost_micros);
CREATE INDEX spend_day ON spend (at, purpose, model, cost_micros);
