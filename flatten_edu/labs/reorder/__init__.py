"""The lab `reorder`: where does N^2 go when the brackets move?"""
