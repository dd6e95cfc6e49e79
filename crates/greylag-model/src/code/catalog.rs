//! Descriptors, scans and lineage (`GL03xx`).

codes! {
    DESCRIPTOR_SHAPE = 301, "a descriptor does not have the shape of one",
        cause: "A document of a descriptor file is not a mapping, or one of its fields holds another kind of value than Backstage's format has there, e.g. a list where text belongs. The document is left out; what the catalog knew of its entity stays; the other documents are imported.",
        cure: "Correct the field at the place that the message names. Numbers and `true` or `false` that are meant as text need quotes.";
    DESCRIPTOR_VERSION = 302, "a descriptor has an API version that is not Backstage's",
        cause: "The document's `apiVersion` is neither one of Backstage's (`backstage.io/...`) nor one of Greylag's own, so its fields cannot be understood. The document is left out.",
        cure: "Write `apiVersion: backstage.io/v1alpha1` if it is a catalog entity; move the document to another file if it is not.";
    UNKNOWN_KIND = 303, "a descriptor is of an unknown kind",
        cause: "The document's `kind` is none of `Resource`, `Component`, `API`, `Group`, `User`, `System`, `Domain` and `Location`, written exactly so. Documents of kinds that Backstage has and Greylag does not use are passed over with a warning; others are errors and left out.",
        cure: "Correct the kind. A dataset is a `Resource` with `spec.type: dataset`.";
    ILLEGAL_NAME = 304, "a name breaks the catalog's rules",
        cause: "Names of entities are 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends; namespaces are lower-case DNS labels; keys of labels and annotations are a name, perhaps with a DNS domain and `/` before it; tags are `a-z`, `0-9`, `+`, `#` and `:` with single `-` between. These are Backstage's rules. The document is left out.",
        cure: "Choose a legal name; the message proposes one where it can. The full name can go in `metadata.title`.";
    MISSING_FIELD = 305, "a descriptor lacks a field that its kind must have",
        cause: "Backstage requires some fields of each kind, e.g. `spec.type` and `spec.owner` of a `Resource`. The document is left out.",
        cure: "Add the field. If nobody owns the entity yet, name the group that should find an owner.";
    ILLEGAL_REFERENCE = 306, "a reference to an entity cannot be read",
        cause: "References read `[kind:][namespace/]name`. What is left out comes from the field (an `owner` is a group) and from the namespace of the entity that has it. `dependsOn` and `dependencyOf` have no such kind: each reference must name its own.",
        cure: "Write the reference in full, e.g. `resource:default/users_v1`.";
    BAD_ANNOTATION = 307, "an annotation of Greylag's cannot be understood",
        cause: "An annotation that begins with `greylag.dev/` says where a dataset lies or how it is written, and its text is not one that this annotation may have, or two of them contradict each other.",
        cure: "Correct the annotation; the page on the catalog lists them all. `greylag.dev/location` stands alone; `greylag.dev/connection` and `greylag.dev/path` go together.";
    DUPLICATE_ENTITY = 308, "an entity is defined twice",
        cause: "Two documents define an entity of the same kind, namespace and name (upper and lower case are the same). The first one, by path and line, counts; the other is left out.",
        cure: "Rename or remove one of the two places that the message names.";
    DANGLING_REFERENCE = 309, "a reference names an entity that the catalog does not know",
        cause: "An owner, a dependency or another reference names an entity that no descriptor, scan or migration has brought into the catalog. The entity is imported all the same; notices to an unknown owner reach nobody, and lineage ends at the unknown entity.",
        cure: "Import the descriptor of the entity, or correct the reference.";
    UNREADABLE_PATH = 310, "a path cannot be read",
        cause: "A descriptor file or directory that the import was to read is not there or may not be read. The rest is imported; nothing that the catalog knew is taken away, since it might stand in what could not be read.",
        cure: "Correct the path or its permissions and import again.";
    DESCRIPTOR_TOO_LARGE = 311, "a descriptor file is too large",
        cause: "Descriptor files may have 1 MiB, so that a wrong path or a hostile file cannot exhaust the machine. The file is left out.",
        cure: "Cut the file into several; an import reads all files of a directory.";
    ILLEGAL_TARGET = 312, "a Location names a target that cannot be followed",
        cause: "Targets of a `Location` are files below the directory that was given to the import, by a path relative to the descriptor, perhaps with `*` and `?` for parts of names. Addresses, absolute paths, paths out of that directory (also by a symbolic link) and targets that match no file are not followed.",
        cure: "Correct the target, or give the import a directory that holds both the Location and its targets.";
    NO_DESCRIPTORS = 313, "an import found nothing to read",
        cause: "The path holds no file whose name ends in `.yaml` or `.yml`.",
        cure: "Give the path of the descriptors. To register files of data that have no descriptors, scan their directory.";
    SCAN_UNREADABLE = 314, "a dataset that a scan found cannot be read",
        cause: "A file or directory looks like a dataset by its name, but its columns cannot be had: it is corrupt, empty, or of several schemas. It is left out; the rest is registered. What the catalog knew of it stays.",
        cure: "Mend or move the file and scan again; the message says what is wrong with it.";
    LINEAGE_CYCLE = 315, "lineage runs in a circle",
        cause: "Each of the entities named feeds the next, and the last one the first. The catalog keeps what the descriptors say; a plan that would have to order them cannot.",
        cure: "Correct the `dependsOn`, `dependencyOf`, `greylag.dev/reads` or `greylag.dev/writes` that is wrong. A job that updates a dataset in place is one that reads and writes it: leave out the reading.";
    UNKNOWN_ENTITY = 316, "the catalog knows no such entity",
        cause: "A command or a migration file names an entity that no descriptor, scan or migration has brought into the catalog.",
        cure: "Look for it with `greylag catalog search`; import its descriptor or scan its directory if it is not there.";
    CATALOG_UNAVAILABLE = 317, "the catalog's store does not answer",
        cause: "The database of the catalog is busy, full or cannot be written. Nothing of the operation was kept.",
        cure: "Try again; if the message speaks of the disk, free some space first.";
    CATALOG_CORRUPT = 318, "the catalog's store holds something that cannot be understood",
        cause: "A row of the catalog's database is not of the form that this version writes. It was changed by hand, by a newer version, or the disk is failing.",
        cure: "Use the version of Greylag that wrote it, or restore the state folder from a backup. The catalog can be made anew by importing its descriptors into an empty state folder.";
}
