# Switches that every Ray process of a cluster needs before it starts; for aws.yaml, gcp.yaml and local.sh.
export RAY_AUTH_MODE=token # without it, who reaches a port runs code
export RAY_AUTH_TOKEN_PATH="${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}"
export RAY_DATA_USE_DATASOURCE_V2=0 # V2 starts 32 footer actors at each epoch
export RAY_DATA_PARQUET_FOOTER_NUM_ACTORS=1
export RAY_USAGE_STATS_ENABLED=0
export AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED # S3 servers other than AWS refuse CRC trailers
export AWS_RESPONSE_CHECKSUM_VALIDATION=WHEN_REQUIRED
# Arrays in huge pages, kept from task to task: half as long again without them.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=268435456:glibc.malloc.trim_threshold=268435456
