// nextflow run THIS_FILE; add -resume after trouble. Shards that are whole are left alone.
params.osteon = @PROGRAM@
params.plan = @PLAN@
params.folder = @FOLDER@
params.study = @STUDY@
params.shards = @SHARDS@

// A text as the shell reads it.
def quoted(text) {
    return "'" + text.replace("'", "'\\''") + "'"
}

process SHARD {
    tag "${number}"
    cpus @CPUS@
    memory '@MEMORY@ GB'
    time '@HOURS@h'
@AT_ONCE@
    input:
    val number

    output:
    val number

    // 1: the shard is whole, some of its patients failed; the merge names them.
    script:
    """
    ${quoted(params.osteon)} --quiet --threads ${task.cpus} shard run ${quoted(params.plan)} ${number} \\
        -o ${quoted("${params.folder}/shard-${number}.db")} || [ \$? -eq 1 ]
    """
}

process MERGE {
    executor 'local'

    input:
    val numbers

    script:
    """
    ${quoted(params.osteon)} --study ${quoted(params.study)} shard merge ${quoted(params.folder)} || [ \$? -eq 1 ]
    """
}

workflow {
    MERGE(SHARD(channel.of(1..params.shards)).collect())
}
