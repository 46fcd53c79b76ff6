CREATE TABLE checkpoint (
	number BIGSERIAL NOT NULL,
	at BIGINT NOT NULL,
	size BIGINT NOT NULL,
	root BYTEA NOT NULL,
	note TEXT NOT NULL,
	PRIMARY KEY (number)
);
CREATE INDEX ix_checkpoint_at ON checkpoint (at);
CREATE TABLE entry (
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	role TEXT NOT NULL,
	exchange TEXT NOT NULL,
	subject TEXT NOT NULL,
	key TEXT NOT NULL,
	payload BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	hash BYTEA NOT NULL,
	PRIMARY KEY (seq)
);
CREATE INDEX entry_kind ON entry (kind, seq);
CREATE INDEX ix_entry_exchange ON entry (exchange);
CREATE TABLE exchange (
	number BIGSERIAL NOT NULL,
	id TEXT NOT NULL,
	at BIGINT NOT NULL,
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
	input_tokens BIGINT NOT NULL,
	output_tokens BIGINT NOT NULL,
	cached_tokens BIGINT NOT NULL,
	cost_micros BIGINT NOT NULL,
	first_sentence_ms BIGINT,
	total_ms BIGINT NOT NULL,
	rating BIGINT,
	score BIGINT,
	key TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (id)
);
CREATE INDEX ix_exchange_conversation ON exchange (conversation);
CREATE TABLE inbox (
	id BIGSERIAL NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	role TEXT NOT NULL,
	exchange TEXT NOT NULL,
	subject TEXT NOT NULL,
	key TEXT NOT NULL,
	payload BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_inbox_exchange ON inbox (exchange);
CREATE INDEX ix_inbox_kind ON inbox (kind);
CREATE TABLE node (
	level BIGINT NOT NULL,
	number BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	PRIMARY KEY (level, number)
);
CREATE TABLE passage (
	sha256 TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (sha256)
);
CREATE TABLE review (
	exchange TEXT NOT NULL,
	at BIGINT NOT NULL,
	reason TEXT NOT NULL,
	rank BIGINT NOT NULL,
	verdict TEXT NOT NULL,
	reviewer TEXT NOT NULL,
	decided BIGINT,
	PRIMARY KEY (exchange)
);
CREATE INDEX review_open ON review (verdict, rank, at);
CREATE TABLE spend (
	number BIGSERIAL NOT NULL,
	at BIGINT NOT NULL,
	purpose TEXT NOT NULL,
	customer TEXT NOT NULL,
	exchange TEXT NOT NULL,
	release TEXT NOT NULL,
	digest TEXT NOT NULL,
	model TEXT NOT NULL,
	region TEXT NOT NULL,
	input_tokens BIGINT NOT NULL,
	output_tokens BIGINT NOT NULL,
	cached_tokens BIGINT NOT NULL,
	thinking_tokens BIGINT NOT NULL,
	cost_micros BIGINT NOT NULL,
	prices TEXT NOT NULL,
	PRIMARY KEY (number)
);
CREATE INDEX ix_spend_exchange ON spend (exchange);
CREATE INDEX spend_customer ON spend (customer, at, purpose, cost_micros);
CREATE INDEX spend_day ON spend (at, purpose, model, cost_micros);
