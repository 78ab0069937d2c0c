"""The lab `rank`: why does full rank plus low rank come out full?"""
