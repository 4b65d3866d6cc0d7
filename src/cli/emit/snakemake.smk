# snakemake --snakefile THIS_FILE --cores N
# Again after trouble: with --rerun-incomplete; a shard whose file is there is not run again.
# A value in braces with :q is quoted for the shell.
OSTEON = @PROGRAM@
PLAN = @PLAN@
FOLDER = @FOLDER@
STUDY = @STUDY@


workdir: FOLDER


rule merge:
    input:
        expand("shard-{n}.db", n=range(1, @SHARDS@ + 1)),
    output:
        touch("merged"),
    localrule: True
    shell:
        "{OSTEON:q} --study {STUDY:q} shard merge {FOLDER:q} || [ $? -eq 1 ]"


# 1: the shard is whole, some of its patients failed; the merge names them.
rule shard:
    output:
        "shard-{n}.db",
    wildcard_constraints:
        n=r"\d+",
    threads: @CPUS@
    resources:
        mem_mb=@MEMORY@ * 1000,
        runtime=@HOURS@ * 60,
    shell:
        "{OSTEON:q} --quiet --threads {threads} shard run {PLAN:q} {wildcards.n} -o {output:q} || [ $? -eq 1 ]"
