//! Lists of column names on the command line.

use osteon_study::study::Error;

/// `a,b,c`; a name with a comma stands in quotes as in a CSV file: `"a,b",c`. An option may be repeated.
pub fn names(lists: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for list in lists {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(list.as_bytes());
        for record in reader.records() {
            let record = record.expect("UTF-8 in memory has no read errors");
            found.extend(record.iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    found
}

/// The same, of an option that has to name at least one column.
pub fn some_names(option: &str, lists: &[String]) -> Result<Vec<String>, Error> {
    let found = names(lists);
    if found.is_empty() {
        let (place, found) = (option.to_owned(), lists.join(" "));
        return Err(Error::Cell { place, found, expected: "the name of a column".to_owned() });
    }
    Ok(found)
}

/// Refuses names of an option that nothing which is asked for has a use for.
pub fn have_a_use(option: &str, lists: &[String], used: &[String]) -> Result<(), Error> {
    match names(lists).into_iter().find(|name| !used.contains(name)) {
        None => Ok(()),
        Some(found) => {
            let expected = format!("one of the columns that are used: {}", used.join(", "));
            Err(Error::Cell { place: option.to_owned(), found, expected })
        }
    }
}

/// Refuses a number of resamples of which no interval can come.
pub fn resamples(replicates: usize) -> Result<usize, Error> {
    match replicates {
        1 => {
            let (place, found) = ("--replicates".to_owned(), "1".to_owned());
            Err(Error::Cell { place, found, expected: "0 for none, or at least 2; 2000 to publish".to_owned() })
        }
        replicates => Ok(replicates),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_is_quoted_as_in_a_csv_file() {
        let check = |lists: &[&str], expected: &[&str]| {
            let lists: Vec<String> = lists.iter().map(|&list| list.to_owned()).collect();
            assert_eq!(names(&lists), expected);
        };
        check(&["a,b c"], &["a", "b c"]);
        check(&[r#""a,b",c"#, "d"], &["a,b", "c", "d"]);
        check(&[r#"5" nail,"say ""x""""#], &[r#"5" nail"#, r#"say "x""#]);
        check(&["", "größe, Ki-67 (%)"], &["größe", "Ki-67 (%)"]);
    }

    #[test]
    fn a_list_of_nothing_names_no_column() {
        assert!(some_names("--score", &[String::new(), ",".to_owned()]).is_err());
    }
}
