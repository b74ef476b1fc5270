extension Migration {
    static let schema = [
        Migration(version: 1, sql: documents + jobs + events),
        Migration(version: 2, sql: answers),
        Migration(version: 3, sql: retention),
    ]

    private static let documents = """
        PRAGMA application_id = \(applicationID);
        CREATE TABLE schema_version (
            version INTEGER PRIMARY KEY,
            applied_at TEXT NOT NULL
        ) STRICT;
        CREATE TABLE documents (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            room TEXT,
            room_id TEXT,
            state TEXT NOT NULL,
            is_active INTEGER NOT NULL,
            labels TEXT NOT NULL,
            key_id TEXT,
            unique_key TEXT,
            body BLOB NOT NULL,
            PRIMARY KEY (kind, id)
        ) STRICT;
        CREATE UNIQUE INDEX documents_unique_key ON documents (kind, unique_key) WHERE unique_key IS NOT NULL;
        CREATE INDEX documents_newest ON documents (kind, created_at, id);
        CREATE INDEX documents_active ON documents (kind, is_active, created_at, id);
        CREATE INDEX documents_room ON documents (kind, room, created_at, id);
        CREATE TABLE labels (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            id TEXT NOT NULL,
            PRIMARY KEY (kind, name, value, id),
            FOREIGN KEY (kind, id) REFERENCES documents ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX labels_of_document ON labels (kind, id);

        """

    private static let jobs = """
        CREATE TABLE jobs (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            room TEXT,
            key_id TEXT,
            pipeline TEXT NOT NULL,
            milli_cores INTEGER NOT NULL,
            memory_bytes INTEGER NOT NULL,
            state TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            fence INTEGER NOT NULL,
            worker TEXT,
            created_at INTEGER NOT NULL,
            leased_at INTEGER,
            started_at INTEGER,
            ended_at INTEGER,
            error TEXT,
            requeue_reason TEXT
        ) STRICT;
        CREATE INDEX jobs_state ON jobs (state, position);
        CREATE INDEX jobs_subject ON jobs (subject, position);

        """

    private static let events = """
        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            room TEXT,
            room_id TEXT,
            body BLOB NOT NULL
        ) STRICT;
        CREATE INDEX events_subject ON events (subject, sequence);
        CREATE INDEX events_room ON events (room_id, sequence);

        """

    private static let answers = """
        CREATE TABLE answers (
            scope TEXT PRIMARY KEY,
            body_hash BLOB NOT NULL,
            started_at INTEGER NOT NULL,
            finished_at INTEGER NOT NULL,
            status INTEGER NOT NULL,
            headers TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE probe (id INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
        INSERT INTO probe VALUES (1, 0);

        """

    private static let retention = """
        CREATE INDEX documents_ended ON documents (kind, updated_at) WHERE is_active = 0;
        CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
        CREATE INDEX events_at ON events (at);
        CREATE INDEX answers_finished ON answers (finished_at);

        """
}
