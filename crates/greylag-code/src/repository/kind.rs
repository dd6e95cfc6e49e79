//! What files are, by their names.

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read as SQL.
    Sql,
    /// Searched for words; what it says runs nowhere.
    Document,
    /// Searched for words; what it says may run, in a language that is not read.
    Code,
    /// Not looked at: data, pictures.
    Other,
}

const SQL: &[&str] = &["sql", "ddl", "dml", "hql", "bq", "psql", "pgsql"];
const DOCUMENTS: &[&str] = &["md", "markdown", "rst", "txt", "adoc", "html"];
const CODE: &[&str] = &[
    "py",
    "ipynb",
    "scala",
    "sc",
    "java",
    "kt",
    "groovy",
    "r",
    "rmd",
    "jl",
    "go",
    "rs",
    "js",
    "ts",
    "jsx",
    "tsx",
    "rb",
    "php",
    "pl",
    "cs",
    "fs",
    "c",
    "cc",
    "cpp",
    "h",
    "sh",
    "bash",
    "zsh",
    "ps1",
    "yml",
    "yaml",
    "json",
    "toml",
    "ini",
    "cfg",
    "conf",
    "xml",
    "properties",
    "hcl",
    "tf",
    "j2",
    "jinja",
    "jinja2",
    "tmpl",
    "lookml",
    "lkml",
    "view",
    "dockerfile",
];

impl Kind {
    /// The kind of a file of this path.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            _ if SQL.contains(&extension) => Self::Sql,
            // A descriptor says who reads what; it is the catalog's, which follows by itself.
            _ if name == "catalog-info.yaml" => Self::Other,
            _ if DOCUMENTS.contains(&extension) || name == "readme" => Self::Document,
            _ if CODE.contains(&extension) || matches!(name.as_str(), "makefile" | "dockerfile" | "jenkinsfile") => {
                Self::Code
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_file_is_what_its_name_says() {
        let kinds =
            ["a/b.SQL", "README.md", "etl/job.py", "x.parquet", "Makefile", "dir.sql/picture.png"].map(Kind::of);
        assert_eq!(kinds, [Kind::Sql, Kind::Document, Kind::Code, Kind::Other, Kind::Code, Kind::Other]);
    }
}
