"""The first schema. It stands as it was written: later changes are steps of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ONLY_ADDED_TO = ("audit_event", "audit_anchor", "review_item", "review_event", "review_log")
PRUNED = ("review_item", "review_event", "review_log")


def upgrade() -> None:
    """Tables, and the triggers that refuse to change what is only added to."""
    _conversations()
    _reviews()
    _audit()
    _order()
    (_sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers)()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, counted: bool = True) -> sa.Column[int]:
    """``counted``: the database gives the number where it is the key."""
    return sa.Column(name, sa.Integer(), autoincrement="auto" if counted else False, nullable=False)


def _conversations() -> None:
    op.create_table("conversation", *map(_text, ("id", "owner", "case_number", "started_at")),
                    sa.PrimaryKeyConstraint("id", name="pk_conversation"), sqlite_strict=True)
    op.create_index("ix_conversation_owner_started_at", "conversation", ["owner", "started_at"])
    op.create_index("ix_conversation_case_number", "conversation", ["case_number"])
    op.create_table("turn", *map(_text, ("id", "conversation")), _number("number"), *map(_text, ("text", "as_of", "state")),
                    _text("answer", nullable=True), _text("asked_at"), _text("done_at", nullable=True),
                    sa.CheckConstraint("state IN ('pending', 'done')", name="state"),
                    sa.ForeignKeyConstraint(["conversation"], ["conversation.id"], name="fk_turn_conversation", ondelete="CASCADE"),
                    sa.PrimaryKeyConstraint("id", name="pk_turn"),
                    sa.UniqueConstraint("conversation", "number", name="uq_turn_conversation_number"), sqlite_strict=True)
    op.create_index("ix_turn_state_asked_at", "turn", ["state", "asked_at"])
    op.create_table("assessment", *map(_text, ("id", "owner", "checklist", "case_number", "as_of", "state", "created_at", "changed_at")),
                    _number("revision"), sa.PrimaryKeyConstraint("id", name="pk_assessment"), sqlite_strict=True)
    op.create_index("ix_assessment_owner_changed_at", "assessment", ["owner", "changed_at"])
    op.create_index("ix_assessment_case_number", "assessment", ["case_number"])
    op.create_table("feedback", *map(_text, ("id", "owner", "answer_id", "verdict", "reason")),
                    _text("reported", nullable=True), _text("at"), sa.PrimaryKeyConstraint("id", name="pk_feedback"), sqlite_strict=True)
    op.create_index("ix_feedback_at", "feedback", ["at"])


def _reviews() -> None:
    op.create_table("review_item", _number("number"), *map(_text, ("origin", "case_id", "answer")),
                    sa.PrimaryKeyConstraint("number", name="pk_review_item"),
                    sa.UniqueConstraint("origin", "case_id", name="uq_review_item_origin_case_id"),
                    sqlite_autoincrement=True, sqlite_strict=True)
    op.create_table("review_event", _number("seq"), _text("id"), _number("item"),
                    *map(_text, ("at", "who", "role", "action", "body", "taken_in")),
                    sa.ForeignKeyConstraint(["item"], ["review_item.number"], name="fk_review_event_item"),
                    sa.PrimaryKeyConstraint("seq", name="pk_review_event"), sa.UniqueConstraint("id", name="uq_review_event_id"),
                    sqlite_autoincrement=True, sqlite_strict=True)
    op.create_index("ix_review_event_item", "review_event", ["item"])
    op.create_table("review_log", _number("seq"), *map(_text, ("at", "who", "role", "what")),
                    sa.PrimaryKeyConstraint("seq", name="pk_review_log"), sqlite_autoincrement=True, sqlite_strict=True)


def _audit() -> None:
    op.create_table("audit_event", _number("seq", counted=False),
                    *map(_text, ("at", "who", "what", "about", "versions", "detail", "previous", "hash")),
                    sa.PrimaryKeyConstraint("seq", name="pk_audit_event"), sqlite_strict=True)
    head = op.create_table("audit_head", _number("id", counted=False), _number("seq"), _text("hash"),
                           sa.CheckConstraint("id = 1", name="one_row"),
                           sa.PrimaryKeyConstraint("id", name="pk_audit_head"), sqlite_strict=True)
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": ""}])
    op.create_table("audit_anchor", _number("seq", counted=False), _number("count"), *map(_text, ("hash", "at")),
                    sa.PrimaryKeyConstraint("seq", name="pk_audit_anchor"), sqlite_strict=True)


def _order() -> None:
    op.create_table("retention", _text("kind"), _number("days"), *map(_text, ("decision", "set_by", "set_at")),
                    sa.CheckConstraint("days >= 0", name="days"),
                    sa.PrimaryKeyConstraint("kind", name="pk_retention"), sqlite_strict=True)
    op.create_table("prune_permit", _text("decision"), sa.PrimaryKeyConstraint("decision", name="pk_prune_permit"), sqlite_strict=True)
    op.create_table("idempotency", *map(_text, ("owner", "key", "operation", "request_sha256")), _number("status"),
                    *map(_text, ("body", "at")), sa.PrimaryKeyConstraint("owner", "key", "operation", name="pk_idempotency"),
                    sqlite_strict=True)
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table("rate", *map(_text, ("owner", "kind", "times")), sa.PrimaryKeyConstraint("owner", "kind", name="pk_rate"),
                    sqlite_strict=True)


def _sqlite_triggers() -> None:
    for table in ONLY_ADDED_TO:
        unless = "WHEN NOT EXISTS (SELECT 1 FROM prune_permit)" if table in PRUNED else ""
        op.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'only added to'); END")
        op.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {unless} BEGIN SELECT RAISE(ABORT, 'only added to'); END")
    op.execute("CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'only changed'); END")


def _postgresql_triggers() -> None:
    refuse = ("CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
              "$$ BEGIN {unless} RAISE EXCEPTION '% is only added to', TG_TABLE_NAME; END $$")
    op.execute(refuse.format(name="only_added_to", unless=""))
    op.execute(refuse.format(name="only_pruned", unless="IF EXISTS (SELECT 1 FROM prune_permit) THEN RETURN OLD; END IF;"))
    for table in ONLY_ADDED_TO:
        deletes = "only_pruned" if table in PRUNED else "only_added_to"
        op.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION only_added_to()")
        op.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {deletes}()")
        op.execute(f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION only_added_to()")
    op.execute("CREATE TRIGGER audit_head_delete BEFORE DELETE OR TRUNCATE ON audit_head "
               "FOR EACH STATEMENT EXECUTE FUNCTION only_added_to()")
