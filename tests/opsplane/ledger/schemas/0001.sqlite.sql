CREATE TABLE exchange (
	id VARCHAR NOT NULL,
	at BIGINT NOT NULL,
	conversation VARCHAR NOT NULL,
	customer VARCHAR NOT NULL,
	actor VARCHAR NOT NULL,
	release VARCHAR NOT NULL,
	digest VARCHAR NOT NULL,
	arm VARCHAR NOT NULL,
	outcome VARCHAR NOT NULL,
	code VARCHAR NOT NULL,
	codes VARCHAR NOT NULL,
	tier VARCHAR NOT NULL,
	model VARCHAR NOT NULL,
	input_tokens INTEGER NOT NULL,
	output_tokens INTEGER NOT NULL,
	cached_tokens INTEGER NOT NULL,
	cost_micros BIGINT NOT NULL,
	first_sentence_ms INTEGER,
	total_ms INTEGER NOT NULL,
	question TEXT NOT NULL,
	standalone TEXT NOT NULL,
	answer TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX exchange_customer_at ON exchange (customer, at);
CREATE INDEX exchange_outcome_at ON exchange (outcome, at);
CREATE INDEX ix_exchange_at ON exchange (at);
CREATE INDEX ix_exchange_conversation ON exchange (conversation);
CREATE INDEX ix_exchange_release ON exchange (release);
CREATE TABLE ledger (
	seq INTEGER NOT NULL,
	at BIGINT NOT NULL,
	kind VARCHAR NOT NULL,
	actor VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	exchange VARCHAR,
	payload TEXT NOT NULL,
	PRIMARY KEY (seq)
);
CREATE INDEX ix_ledger_exchange ON ledger (exchange);
CREATE INDEX ix_ledger_kind ON ledger (kind);
CREATE TABLE passage (
	sha256 VARCHAR NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (sha256)
);
