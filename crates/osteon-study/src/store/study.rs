//! The study's own row: title, protocol in force, lock.

use rusqlite::params;

use crate::store::codebook::codebook_of;
use crate::store::{Store, StoreError, Write};

/// What the file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyRow {
    pub title: String,
    pub protocol_hash: String,
    pub protocol_toml: String,
    pub created_at: String,
    pub created_by: String,
    /// The osteon that made the file.
    pub program_version: String,
    /// When and by whom the data were locked.
    pub locked: Option<(String, String)>,
}

impl Store {
    /// The study's row.
    pub fn study(&self) -> Result<StudyRow, StoreError> {
        let sql = "SELECT title, protocol_hash, toml, created_at, created_by, program_version, locked_at, locked_by
                   FROM study JOIN protocol ON hash = protocol_hash";
        Ok(self.connection.query_row(sql, [], |row| {
            let locked: (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
            Ok(StudyRow {
                title: row.get(0)?,
                protocol_hash: row.get(1)?,
                protocol_toml: row.get(2)?,
                created_at: row.get(3)?,
                created_by: row.get(4)?,
                program_version: row.get(5)?,
                locked: locked.0.zip(locked.1),
            })
        })?)
    }
}

impl Write<'_> {
    /// The study's row in a new file.
    pub fn make_study(&self, title: &str, protocol_hash: &str, protocol_toml: &str) -> Result<(), StoreError> {
        self.keep_protocol(protocol_hash, protocol_toml)?;
        let sql = "INSERT INTO study (id, title, protocol_hash, created_at, created_by, program_version)
                   VALUES (1, ?1, ?2, ?3, ?4, ?5)";
        let title = osteon_base::text::clean(title);
        let bound = params![title, protocol_hash, self.at, self.actor().name, env!("CARGO_PKG_VERSION")];
        self.connection.execute(sql, bound)?;
        let book = codebook_of(protocol_toml)?;
        self.use_codebook(protocol_hash, &book);
        self.put_codebook(&book)
    }

    /// Puts another protocol in force; earlier results keep the one that they were made under.
    ///
    /// # Errors
    /// When its codebook is another one while the study is locked, or would lose a value.
    pub fn set_protocol(&self, hash: &str, toml: &str) -> Result<(), StoreError> {
        let before = self.study()?;
        self.keep_protocol(hash, toml)?;
        self.connection.execute("UPDATE study SET protocol_hash = ?1", [hash])?;
        let (was, now) = (codebook_of(&before.protocol_toml)?, codebook_of(toml)?);
        if was != now {
            if before.locked.is_some() {
                return Err(StoreError::Refused(
                    "the study is locked: variables and outcome stay as they are until it is unlocked".to_owned(),
                ));
            }
            self.tell_codebook(&was, &now)?;
            self.put_codebook(&now)?;
            self.use_codebook(hash, &now);
            return self.follow_codebook();
        }
        self.use_codebook(hash, &now);
        Ok(())
    }

    /// Tells the trail which protocol is locked as the analysis plan; nothing but the trail holds it.
    pub fn tell_plan(&self, old: Option<&str>, new: Option<&str>) -> Result<(), StoreError> {
        let told = "INSERT INTO trail VALUES ('plan', '1', 'analysis plan', ?1, ?2)";
        self.connection.execute(told, params![old, new])?;
        Ok(())
    }

    /// Freezes clinical data and images.
    pub fn lock(&self) -> Result<(), StoreError> {
        let sql = "UPDATE study SET locked_at = ?1, locked_by = ?2 WHERE locked_at IS NULL";
        match self.connection.execute(sql, params![self.at, self.actor().name])? {
            0 => Err(StoreError::Refused("the study is locked already".to_owned())),
            _ => Ok(()),
        }
    }

    /// Lets clinical data and images be changed again.
    pub fn unlock(&self) -> Result<(), StoreError> {
        let sql = "UPDATE study SET locked_at = NULL, locked_by = NULL WHERE locked_at IS NOT NULL";
        match self.connection.execute(sql, [])? {
            0 => Err(StoreError::Refused("the study is not locked".to_owned())),
            _ => Ok(()),
        }
    }

    fn keep_protocol(&self, hash: &str, toml: &str) -> Result<(), StoreError> {
        self.connection.execute("INSERT INTO protocol VALUES (?1, ?2) ON CONFLICT DO NOTHING", [hash, toml])?;
        Ok(())
    }
}
