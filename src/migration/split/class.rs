//! What a statement does to its transaction and its session.

/// What a statement does to the transaction and the session that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Neither.
    Ordinary,
    /// Begins or ends a transaction, or a part of one.
    TransactionControl(Control),
    /// Cannot run inside a transaction.
    NotInTransaction,
    /// Cannot run inside a transaction, and changes the session.
    SessionNotInTransaction,
    /// Switches the enforcement of foreign keys, which inside a transaction has no effect.
    ForeignKeys,
    /// Changes the session, which must be reset afterwards.
    Session,
    /// Several statements that only mean something together and commit by themselves, such as what
    /// stands between `LOCK TABLES` and `UNLOCK TABLES`: executed one after the other, counted as one.
    Block,
}

impl Class {
    /// Says whether the session must be reset after such a statement.
    pub fn changes_session(self) -> bool {
        matches!(
            self,
            Self::Session | Self::SessionNotInTransaction | Self::Block
        )
    }

    /// Says whether such a statement does inside a transaction what it is meant to do.
    pub fn runs_in_transaction(self) -> bool {
        !matches!(
            self,
            Self::NotInTransaction | Self::SessionNotInTransaction | Self::Block
        )
    }

    /// Returns the class of a statement of this class that has another effect as well.
    pub(super) fn with(self, effect: Effect) -> Self {
        match (effect, self) {
            (Effect::Session, Self::Ordinary) => Self::Session,
            (Effect::Session, Self::NotInTransaction) => Self::SessionNotInTransaction,
            (Effect::Alone, Self::Ordinary) => Self::NotInTransaction,
            (Effect::Alone, Self::Session) => Self::SessionNotInTransaction,
            (_, class) => class,
        }
    }
}

/// The sorts of transaction control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Begins a transaction.
    Begin,
    /// Commits it.
    Commit,
    /// Rolls it back.
    Rollback,
    /// Sets a savepoint.
    Savepoint,
    /// Gives a savepoint up.
    Release,
}

/// What a word does that has its effect wherever in a statement it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes the session.
    Session,
    /// It does not run in a transaction, or cannot be undone by one.
    Alone,
    /// The statement's data follow on the lines after it.
    Data,
}
